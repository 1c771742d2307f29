#include "agent/transfer/source_plan.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "agent/transfer/planner.hpp"
#include "agent/transfer/source_machine.hpp"
#include "common/formats/queues.hpp"
#include "common/log.hpp"
#include "common/random.hpp"
#include "common/text.hpp"

namespace baton::transfer {
namespace {

constexpr logger log{"Transfer"};
constexpr std::int64_t parts_patience_ms = 10000;  // until it is said that parts of a plan are missing

void remove_file(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
}

// On a worker. What an earlier activation listed and did not finish has other numbers: it is made anew.
source_plan::listing list(const source_plan::lister& lister, const planner_options& options, const std::string& path) {
  source_plan::listing out;
  const auto unusable = [&](const error& why) { out.failure = {code_failed, render(messages::BFGTR0019E, why.text)}; };
  auto plan = plan_writer::create(path);
  if (!plan) {
    unusable(plan.error());
    return out;
  }
  out.failure = lister(options, [&](const plan_item& item) { plan->add(item); });
  const auto written = plan->finish();
  if (!out.failure && !written) unusable(written.error());
  if (out.failure) return out;
  out.totals = plan->totals();
  const auto summary = summarise_plan(path);
  if (summary)
    out.summary = *summary;
  else
    unusable(summary.error());
  return out;
}

bool is_plan(const std::string& path, const plan_summary& wanted) {
  const auto found = summarise_plan(path);
  return found && found->bytes == wanted.bytes && found->check == wanted.check;
}

}  // namespace

source_plan::source_plan(services& agent, plan_collector& collector,
                         std::shared_ptr<const formats::transfer_request> request, formats::source_record& record,
                         handlers to)
    : agent_(agent),
      collector_(collector),
      request_(std::move(request)),
      record_(record),
      to_(std::move(to)),
      path_(agent.settings().plan_directory + "/" + request_->id + ".plan") {}

void source_plan::stop() {
  *stopped_ = true;
  agent_.loop().cancel(timer_);
}

void source_plan::remove() {
  remove_file(path_);
  collector_.drop(request_->id);
}

// Under another name at first: a newer record of the transfer may replace this one meanwhile, and have a plan already.
void source_plan::make() {
  make([request = request_](const planner_options& options, const std::function<void(plan_item)>& add) {
    return make_plan(*request, options, add);
  });
}

void source_plan::make(plan_item only) {
  make([only = std::move(only)](const planner_options&, const std::function<void(plan_item)>& add) {
    add(only);
    return std::nullopt;
  });
}

void source_plan::make(lister list_items) {
  planner_options options{agent_.settings().transfer_root, agent_.settings().max_files, nullptr};
  const std::string fresh = fmt::format("{}.{}.new", path_, random_hex(4));
  agent_.pool().submit([weak = weak_from_this(), list_items = std::move(list_items), options, fresh,
                        stopped = stopped_]() mutable -> std::function<void()> {
    options.cancelled = stopped.get();
    const listing made = list(list_items, options, fresh);
    if (*stopped) remove_file(fresh);  // cut short, and nobody wants it
    return [weak, made, fresh] {
      const auto self = weak.lock();
      if (!self || *self->stopped_) return remove_file(fresh);
      self->made(made, fresh);
    };
  });
}

void source_plan::made(const listing& made, const std::string& fresh) {
  if (!made.failure && std::rename(fresh.c_str(), path_.c_str()) == 0) {
    totals_ = made.totals;
    summary_ = made.summary;
    return to_.listed();
  }
  const std::string why = fmt::format("{}: {}", path_, system_text(errno));
  remove_file(fresh);
  if (made.failure) return to_.failed(made.failure->result_code, made.failure->text);
  to_.failed(code_failed, render(messages::BFGTR0019E, why));
}

void source_plan::find() {
  totals_ = {record_.items_total, record_.bytes_total};
  const plan_summary wanted{record_.plan_bytes, record_.plan_parts, std::stoull("0" + record_.plan_check, nullptr, 16)};
  agent_.pool().submit([weak = weak_from_this(), path = path_, wanted]() -> std::function<void()> {
    const bool here = is_plan(path, wanted);
    return [weak, wanted, here] {
      const auto self = weak.lock();
      if (!self || *self->stopped_) return;
      here ? self->to_.ready() : self->collect(wanted);
    };
  });
}

void source_plan::look_up(std::vector<std::uint64_t> numbers, std::function<void(std::vector<plan_item>)> then) {
  agent_.pool().submit([weak = weak_from_this(), path = path_, numbers = std::move(numbers),
                        then = std::move(then)]() -> std::function<void()> {
    auto plan = plan_reader::open(path);
    auto items = plan ? find_items(*plan, numbers) : result<std::vector<plan_item>>(plan.error());
    return [weak, then, found = items ? std::move(*items) : std::vector<plan_item>()] {
      const auto self = weak.lock();
      if (self && !*self->stopped_) then(found);
    };
  });
}

void source_plan::collect(const plan_summary& wanted) {
  timer_ = agent_.loop().after(parts_patience_ms, [this, wanted] {
    log(messages::BFGTR0031W, request_->id, formats::state_queue(agent_.settings().name),
        collector_.parts_of(request_->id, wanted.check), wanted.parts);
  });
  collector_.want(request_->id, wanted, [weak = weak_from_this(), wanted] {
    if (const auto self = weak.lock()) self->adopt_parts(wanted);
  });
}

void source_plan::adopt_parts(const plan_summary& wanted) {
  agent_.loop().cancel(timer_);
  agent_.pool().submit([weak = weak_from_this(), wanted, parts = collector_.file(request_->id, wanted.check),
                        path = path_]() -> std::function<void()> {
    const auto adopted = adopt_plan_file(parts, path, wanted);
    return [weak, adopted] {
      const auto self = weak.lock();
      if (!self || *self->stopped_) return;
      if (adopted) return self->to_.ready();
      self->to_.failed(code_failed, render(messages::BFGTR0019E, adopted.error().text));
    };
  });
}

// The record is sent behind the parts, in one go: when all are on stable storage, data may move.
void source_plan::keep() {
  record_.plan_parts = summary_.parts;
  record_.plan_bytes = summary_.bytes;
  record_.plan_check = fmt::format("{:016x}", summary_.check);
  record_.items_total = totals_.items;
  record_.bytes_total = totals_.bytes;
  const auto step = [weak = weak_from_this()](bool kept) {
    if (const auto self = weak.lock()) self->kept_in_part(kept);
  };
  const auto all_sent = [this, step] {
    if (*stopped_) return;
    record_.planned = true;
    to_.save(step);
  };
  sender_ = std::make_shared<plan_sender>(agent_, request_->id, path_, summary_, plan_sender::handlers{all_sent, step});
  sender_->start();
}

void source_plan::kept_in_part(bool kept) {
  if (*stopped_) return;
  if (!kept) return to_.failed(code_failed, render(messages::BFGTR0019E, "the queue manager refused it"));
  if (++kept_ == 2) to_.ready();
}

}  // namespace baton::transfer
