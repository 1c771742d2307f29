#include "agent/transfer/source_queue.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "common/amqp/dialect.hpp"
#include "common/log.hpp"
#include "common/messages/message.hpp"
#include "common/text.hpp"

namespace baton::transfer {
namespace {

constexpr logger log{"Transfer"};
constexpr std::uint32_t file_mode = 0644;
constexpr std::int64_t save_again_ms = 1000;

const formats::transfer_spec& spec_of(const formats::transfer_request& request) {
  return request.specs.front();
}

}  // namespace

source_queue::source_queue(services& agent, queue::subscribers& subscribers,
                           std::shared_ptr<const formats::transfer_request> request, formats::source_record& record,
                           std::string plan, handlers to)
    : agent_(agent),
      subscribers_(subscribers),
      request_(std::move(request)),
      record_(record),
      file_(messages_file_of(plan)),
      to_(std::move(to)) {}

source_queue::~source_queue() {
  *over_ = true;
  give_back();
}

std::optional<std::string> source_queue::refusal() const {
  const auto& spec = spec_of(*request_);
  const auto& own = agent_.settings();
  if (!own.queues.enabled) return render(messages::BFGTR0054E, own.name);
  if (!spec.source_queue_qmgr.empty() && spec.source_queue_qmgr != own.qmgr) {
    return render(messages::BFGTR0055E, spec.source, spec.source_queue_qmgr, own.name, own.qmgr);
  }
  return std::nullopt;
}

bool source_queue::exclusive() const {
  return spec_of(*request_).exclusive || agent_.settings().queues.exclusive;
}

void source_queue::warn_when_shared() const {
  const bool possible = amqp::dialect_of(agent_.qmgr().peer.kind).has_exclusive_receivers();
  if (exclusive() && !possible) log(messages::BFGTR0057W, spec_of(*request_).source);
}

void source_queue::make(std::function<void()> found) {
  const auto& spec = spec_of(*request_);
  const auto& own = agent_.settings();
  queue::source_options options;
  options.transfer_id = request_->id;
  options.file = file_;
  options.checksum = spec.checksum;
  options.limits.messages_max = own.queues.messages_max;
  options.limits.message_bytes_max = own.queues.message_bytes_max;
  options.wait_ms = spec.wait_s * 1000;
  options.group = spec.group;
  (spec.delimiter_before ? options.before : options.behind) = from_hex(spec.delimiter).value_or("");
  queue::queue_source::handlers to;
  to.collected = [this](const queue::collected& made) { collected(made); };
  to.found = std::move(found);
  to.failed = [this](const std::string& why, bool overtaken) { failed(why, overtaken); };
  to.taking = [this](std::function<void()> then) { taking(std::move(then)); };
  to.taken = [this] {
    taken_ = true;
    to_.taken();
  };
  messages_ = std::make_shared<queue::queue_source>(
      agent_.loop(), agent_.pool(), subscribers_.of(spec.source, exclusive()), std::move(options), std::move(to));
}

void source_queue::collect() {
  if (const auto why = refusal()) return to_.failed(*why);
  warn_when_shared();
  make(nullptr);
  messages_->collect();
}

void source_queue::collected(const queue::collected& made) {
  const auto& spec = spec_of(*request_);
  const auto count = made.identities.size() / queue::intake::identity_bytes;
  log(messages::BFGTR0053I, request_->id, count, spec.source,
      spec.group  ? "they are a group"
      : made.more ? "as many as one file may have; others stay for the next transfer"
                  : "there were no more");
  plan_item item;
  item.source = spec.source;
  item.destination = spec.destination;
  item.identity.size = made.file.bytes;
  item.identity.modified_s = wall_time_ms() / 1000;
  item.mode = file_mode;
  item.messages = made.identities;
  item.digest = made.file.digest;
  to_.collected(std::move(item));
}

void source_queue::recover(plan_item item, std::function<void()> then) {
  if (const auto why = refusal()) return to_.failed(*why);
  make(std::move(then));
  struct stat about {};
  const bool whole =
      ::stat(file_.c_str(), &about) == 0 && static_cast<std::uint64_t>(about.st_size) == item.identity.size;
  messages_->look_for(std::move(item.messages), record_.messages_taken, !whole && !record_.messages_taken);
}

void source_queue::arrived() {
  if (!std::exchange(arrived_, true)) messages_->take_off();
}

// Whoever takes over then knows that they may be gone.
void source_queue::taking(std::function<void()> then) {
  record_.messages_taken = true;
  to_.save([this, over = over_, then](bool kept) {
    if (*over) return;
    if (kept) return then();
    agent_.loop().after(save_again_ms, [this, over, then] {
      if (!*over) taking(then);
    });
  });
}

void source_queue::failed(const std::string& why, bool overtaken) {
  if (overtaken) record_.messages_taken = false;
  const auto fail = to_.failed;
  fail(why);
}

void source_queue::give_back() {
  if (messages_) messages_->stop();
}

void source_queue::end(bool complete) {
  if (!complete && record_.messages_taken)
    return log(messages::BFGTR0052W, request_->id, spec_of(*request_).source, file_);
  ::unlink(file_.c_str());
}

}  // namespace baton::transfer
