// A transfer between two agents whose power goes at any step, whose disks forget what was not synced, and which may be
// full for a while. Real engines on both sides; what they say is checked against what is certain at that moment.
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <set>

#include "common/formats/queues.hpp"
#include "common/log.hpp"
#include "test/power/simulated_agent.hpp"
#include "test/properties/temporary.hpp"

using namespace baton;
using namespace baton::test;
namespace fs = std::filesystem;

namespace {

const std::string id(48, 'd');

// Of all runs, to be seen: that much did happen.
struct sums {
  int source_losses = 0, destination_losses = 0, resumed = 0, waited_for_room = 0;
};
sums seen;

struct circumstances {
  ignored_calls ignored;
  int power_losses = 3;  // at most, of each side
  bool full = true;      // the destination's disk may be full for a while
};

// What must never be, as a text; the run ends there.
struct violation {
  std::string text;
};

void require(bool holds, const std::string& otherwise) {
  if (!holds) throw violation{otherwise};
}

class world {
 public:
  world(std::uint64_t seed, const circumstances& given) : random_(seed), given_(given) {
    make_tree();
    source_disk_.emplace(root("in"), where_.path() / "kept-in", given.ignored);
    destination_disk_.emplace(root("out"), where_.path() / "kept-out", given.ignored);
    source_.emplace(loop_, wire_, *source_disk_, settings_of("SRC"));
    destination_.emplace(loop_, wire_, *destination_disk_, settings_of("DST"));
    destination_->sending = [this](const amqp::message& m) {
      if (m.subject == formats::subject::ack) check_promises(*formats::read_ack(m.body));
    };
    losses_left_ = {static_cast<int>(below(random_, static_cast<std::size_t>(given.power_losses) + 1)),
                    static_cast<int>(below(random_, static_cast<std::size_t>(given.power_losses) + 1))};
  }

  // Runs the transfer to its end.
  void run() {
    destination_->start();
    source_->start();
    begin();
    threaten(*source_disk_, losses_left_.first);
    threaten(*destination_disk_, losses_left_.second);
    if (given_.full && below(random_, 3) == 0) destination_disk_->fill_for(1 + below(random_, 6));
    while (!ended_) {
      require(loop_.run_until([this] { return pump(); }, 20000), "the transfer does not go on");
      if (source_disk_->dark()) restart_source();
      if (destination_disk_->dark()) restart_destination();
    }
    settle();
    check_end();
  }

 private:
  fs::path root(const char* side) const { return where_.path() / side; }

  agent::settings settings_of(const std::string& name) {
    agent::settings s;
    s.name = name;
    s.qmgr = "QM";
    s.plan_directory = (where_.path() / ("plans-" + name)).string();
    s.chunk_bytes = 4096;
    s.chunk_bytes_chosen = true;
    s.window_frames = 1 + static_cast<std::uint32_t>(below(random_, 6));
    s.checkpoint_frames = 1 + static_cast<std::uint32_t>(below(random_, 3));
    s.capacity_retry_ms = 1;
    return s;
  }

  void make_tree() {
    fs::create_directories(root("in"));
    fs::create_directories(root("out"));
    overwrite_ = below(random_, 2) == 0;
    remove_ = below(random_, 2) == 0;
    const std::size_t files = 1 + below(random_, 14);
    for (std::size_t i = 0; i < files; ++i) {
      const std::size_t sizes[] = {0, 1 + below(random_, 100), below(random_, 5000), below(random_, 80000)};
      std::string name = fmt::format("f{}", i);
      if (below(random_, 3) == 0) name = fmt::format("d{}/{}", below(random_, 2), name);
      const std::string content = random_bytes(random_, sizes[below(random_, 4)]);
      put(root("in") / name, content);
      contents_[name] = content;
      if (overwrite_ && below(random_, 4) == 0) put(root("out") / name, before_);
    }
  }
  static void put(const fs::path& path, const std::string& content) {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << content;
  }

  void begin() {
    formats::transfer_request request;
    request.id = id;
    request.source_agent = "SRC";
    request.destination_agent = "DST";
    request.wait = true;
    auto& spec = request.specs.emplace_back();
    spec.source = root("in").string();
    spec.recursive = true;
    spec.destination = root("out").string();
    spec.kind = formats::destination_kind::directory;
    spec.exist = overwrite_ ? formats::exist_action::overwrite : formats::exist_action::error;
    spec.source_disposition = remove_ ? formats::disposition::remove : formats::disposition::leave;
    formats::source_record record;
    record.transfer_id = id;
    record.request = to_json(request);
    record.reply_to = "ASKER";
    record.arrival = source_->transfers->next_arrival();
    source_->save(record, [this, record, request](bool) {
      taken_ = true;
      source_->transfers->admit(record, request);
    });
  }

  // At a step on the disk, or between two messages.
  void threaten(forgetful_disk& disk, int& left) {
    if (left > 0 && below(random_, 2) == 0) {
      --left;
      disk.lose_power_after(below(random_, 60), random_);
    }
  }
  void lose_power_now(forgetful_disk& disk, int& left) {
    if (left <= 0) return;
    --left;
    disk.lose_power_after(0, random_);
    disk.step(false);
  }

  // Delivers one message. True when something must be done from outside.
  bool pump() {
    if (ended_ || source_disk_->dark() || destination_disk_->dark()) return true;
    if (wire_.empty()) return false;
    if (below(random_, 30) == 0) lose_power_now(*source_disk_, losses_left_.first);
    if (below(random_, 30) == 0) lose_power_now(*destination_disk_, losses_left_.second);
    if (source_disk_->dark() || destination_disk_->dark()) return true;
    wire_message m = std::move(wire_.front());
    wire_.pop_front();
    loop_.post([this, m = std::move(m)] { deliver(m); });
    return false;
  }

  void deliver(const wire_message& m) {
    namespace subject = formats::subject;
    if (source_disk_->dark() || destination_disk_->dark()) return wire_.push_front(m);
    const std::string body(m.content.bulk.empty() ? std::string_view(m.content.body) : m.content.bulk);
    const std::string& what = m.content.subject;
    if (what == subject::negotiate) {
      attempt_ = formats::read_negotiate(body)->attempt;
      destination_->transfers->on_negotiate(*formats::read_negotiate(body));
    } else if (what == subject::negotiated) {
      const auto answer = *formats::read_negotiated(body);
      if (answer.from.offset > 0) ++seen.resumed;
      source_->transfers->on_negotiated(answer);
    } else if (what == subject::ack) {
      const auto a = *formats::read_ack(body);
      if (a.halted == formats::halt_reason::no_room) ++seen.waited_for_room;
      source_->transfers->on_ack(a);
    } else if (what == subject::finish) {
      destination_->transfers->on_finish(*formats::read_finish(body));
    } else if (what == subject::transfer_query) {
      destination_->transfers->on_query(*formats::read_transfer_query(body));
    } else if (what == subject::data) {
      destination_->transfers->on_frame(byte_buffer(body));
    } else if (what == subject::reply) {
      reply_ = *formats::read_reply(body);
      ended_ = true;
    }
  }

  void restart_source() {
    ++seen.source_losses;
    source_->end(random_);
    source_disk_->restart();
    check_trees();
    if (below(random_, 3) == 0) fs::remove_all(where_.path() / "plans-SRC");  // the next instance is on another host
    threaten(*source_disk_, losses_left_.first);
    source_->start();
    if (!taken_ && !source_->knows()) begin();  // the request is still with the queue manager
  }

  // A source that waits for an answer asks after a while; here at once.
  void restart_destination() {
    ++seen.destination_losses;
    destination_->end(random_);
    destination_disk_->restart();
    check_trees();
    threaten(*destination_disk_, losses_left_.second);
    destination_->start();
    if (!destination_->has_destination_record() && attempt_ > 0) {
      destination_->transfers->on_query({id, "SRC", source_->epoch(), source_->run(), attempt_});
    }
  }

  // What is said of an item, and of the place to go on from, is certain.
  void check_promises(const formats::ack& a) {
    const auto certain = destination_disk_->certain();
    for (const auto& result : a.results) {
      if (result.result_code != 0 || result.checksum.empty()) continue;
      const auto arrived = std::find_if(certain.begin(), certain.end(), [&](const auto& one) {
        const auto original = contents_.find(one.first);
        return original != contents_.end() && original->second == one.second;
      });
      require(arrived != certain.end(), fmt::format("item {} was acknowledged and nothing is certain", result.number));
    }
    if (a.durable.offset == 0) return;
    const std::string mark = fmt::format(".{}.e", a.durable.item);
    const bool found = std::any_of(certain.begin(), certain.end(), [&](const auto& one) {
      if (one.first.find(mark) == std::string::npos) return false;
      const std::string start = one.second.substr(0, static_cast<std::size_t>(a.durable.offset));
      return start.size() == a.durable.offset && std::any_of(contents_.begin(), contents_.end(), [&](const auto& file) {
               return file.second.starts_with(start);
             });
    });
    require(found,
            fmt::format("byte {} of item {} was acknowledged and is not certain", a.durable.offset, a.durable.item));
  }

  // No wrong file under its final name, and no source gone that has not arrived.
  void check_trees() {
    const auto out = files_under(root("out"));
    for (const auto& [name, content] : out) {
      if (name.ends_with(".part")) continue;
      const auto original = contents_.find(name);
      require(original != contents_.end(), name + " appeared");
      const bool right = content == original->second || (overwrite_ && content == before_);
      require(right, name + " is wrong under its final name");
    }
    const auto in = files_under(root("in"));
    const auto certain = destination_disk_->certain();
    for (const auto& [name, content] : contents_) {
      if (in.count(name) > 0) continue;
      const auto arrived = certain.find(name);
      require(arrived != certain.end() && arrived->second == content, name + " is lost");
    }
  }

  // The source has told its result; the destination closes, whatever it still had to do.
  void settle() {
    (void)loop_.run_until(
        [this] {
          ended_ = false;
          (void)pump();
          return wire_.empty() && (source_disk_->dark() || destination_disk_->dark() ||
                                   (source_->transfers->idle() && destination_->transfers->idle()));
        },
        5000);
    ended_ = true;
  }

  void check_end() {
    std::set<std::uint64_t> logged;
    for (const auto& event : source_->events) {
      for (const auto& item : event.items) {
        require(item.result_code == 0, item.supplement);
        logged.insert(item.number);
      }
    }
    require(reply_.result_code == 0, fmt::format("the result is {}: {}", reply_.result_code, reply_.text));
    if (destination_disk_->dark() || source_disk_->dark()) return;
    require(logged.size() == reply_.items, fmt::format("{} of {} items are in the log", logged.size(), reply_.items));
    const auto certain = destination_disk_->certain();
    for (const auto& [name, content] : contents_) {
      const auto arrived = certain.find(name);
      require(arrived != certain.end() && arrived->second == content, name + " has not arrived for certain");
    }
    // One that comes back does not know of every directory where the one before had begun a file.
    for (const auto& [name, content] : files_under(root("out"))) {
      require(!name.ends_with(".part") || destination_->epoch() > 1, name + " was left behind");
    }
    check_trees();
  }

  static std::map<std::string, std::string> files_under(const fs::path& root) {
    std::map<std::string, std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      if (entry.is_directory()) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      found[entry.path().lexically_relative(root).string()] = {std::istreambuf_iterator<char>(in), {}};
    }
    return found;
  }

  temporary_directory where_;
  generator random_;
  const circumstances given_;
  const std::string before_ = "what was there before";
  bool overwrite_ = false, remove_ = false, taken_ = false, ended_ = false;
  std::map<std::string, std::string> contents_;
  event_loop loop_;
  std::deque<wire_message> wire_;
  std::optional<forgetful_disk> source_disk_, destination_disk_;
  std::optional<simulated_agent> source_, destination_;
  std::pair<int, int> losses_left_;
  std::uint64_t attempt_ = 0;
  formats::reply reply_;
};

std::uint64_t runs() {
  const char* given = std::getenv("BATON_POWER_RUNS");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : 500;
}

// The first violation in so many runs, or nothing.
std::string first_violation(std::uint64_t count, const circumstances& given) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t one = seed() + i;
    try {
      world(one, given).run();
    } catch (const violation& found) {
      return fmt::format("{} (BATON_TEST_SEED={})", found.text, one);
    }
  }
  return {};
}

}  // namespace

TEST_CASE("whenever the power goes, no acknowledged byte is lost and no wrong file is visible") {
  (void)open_log({});
  const auto count = runs();
  CHECK(first_violation(count, {}) == "");
  fmt::print(
      "{} runs: the source's power went {} times, the destination's {} times; {} times a transfer went on in the "
      "middle of a file, {} times it waited for room\n",
      count, seen.source_losses, seen.destination_losses, seen.resumed, seen.waited_for_room);
  CHECK(seen.source_losses > 0);
  CHECK(seen.destination_losses > 0);
  CHECK(seen.resumed > 0);
  CHECK(seen.waited_for_room > 0);
}

TEST_CASE("a program that does not sync is found out") {
  (void)open_log({});
  circumstances given;
  SECTION("the data of files") {
    given.ignored.data_sync = true;
  }
  SECTION("the data of many files at once") {
    given.ignored.system_sync = true;
  }
  SECTION("directories") {
    given.ignored.directory_sync = true;
  }
  CHECK(first_violation(500, given) != "");
}
