#include "agent/transfer/source_programs.hpp"

#include <algorithm>
#include <utility>

#include "common/log.hpp"
#include "common/text.hpp"

namespace baton::transfer {
namespace {

constexpr logger log{"Transfer"};

constexpr std::int64_t look_again_ms = 100;
// In the record, by the name of the point; anything else is the message of its failure.
constexpr const char *state_begun = "begun", *state_succeeded = "succeeded";

const char* name_of(source_programs::point where) {
  return where == source_programs::point::pre_source ? "preSource" : "postSource";
}

}  // namespace

source_programs::source_programs(services& agent, program_runner& runner,
                                 std::shared_ptr<const formats::transfer_request> request,
                                 formats::source_record& record, saver save)
    : agent_(agent), runner_(runner), request_(std::move(request)), record_(record), save_(std::move(save)) {}

const formats::program_call& source_programs::call() const {
  return where_ == point::pre_source ? request_->pre_source : request_->post_source;
}

void source_programs::run(point where, ended then) {
  where_ = where;
  then_ = std::move(then);
  if (!call().is_set()) return then_("");
  const auto known = record_.programs.find(name_of(where));
  if (known == record_.programs.end()) return begin();
  if (known->second == state_succeeded) return then_("");
  if (known->second != state_begun) return then_(known->second);
  // An earlier activation died with it.
  const std::string failure = render(messages::BFGTR0042E, name_to_text(call().command));
  keep(failure, [this, failure] { then_(failure); });
}

void source_programs::stop() {
  *std::exchange(stopped_, std::make_shared<std::atomic<bool>>(false)) = true;
  agent_.loop().cancel(timer_);
}

// Nobody can fence a program: the lease of the activation before has to be over for certain.
void source_programs::begin() {
  const std::int64_t early_ms = agent_.unfenced_from_ms() - boot_time_ms();
  if (early_ms > 0) return wait(early_ms, &source_programs::begin);
  keep(state_begun, [this] { start(); });
}

void source_programs::start() {
  started_at_ms_ = boot_time_ms();
  const std::map<std::string, std::string> about{{"BATON_TRANSFER_ID", request_->id},
                                                 {"BATON_JOB_NAME", request_->job},
                                                 {"BATON_SOURCE_AGENT", request_->source_agent},
                                                 {"BATON_DESTINATION_AGENT", request_->destination_agent}};
  runner_.run(call(), about, stopped_, [weak = weak_from_this(), stopped = stopped_](const program_end& end) {
    if (const auto self = weak.lock(); self && !*stopped) self->finished(end);
  });
}

void source_programs::finished(const program_end& end) {
  const bool was_run = !end.how.empty();
  if (!was_run && end.failure.empty()) return wait(look_again_ms, &source_programs::start);
  if (was_run) {
    log(messages::BFGTR0043I, name_to_text(call().command), request_->id, end.how,
        human_duration_ms(boot_time_ms() - started_at_ms_));
  }
  const int tries_more = std::min(call().retry_count, agent_.settings().programs.retries_max);
  if (!end.success && was_run && tries_++ < tries_more) {
    return wait(call().retry_wait_s * 1000, &source_programs::start);
  }
  tries_ = 0;
  keep(end.success ? state_succeeded : end.failure, [this, failure = end.failure] { then_(failure); });
}

void source_programs::keep(const std::string& state, std::function<void()> then) {
  record_.programs[name_of(where_)] = state;
  save_([weak = weak_from_this(), stopped = stopped_, then = std::move(then)](bool kept) {
    const auto self = weak.lock();
    if (!self || *stopped) return;
    if (kept) return then();
    self->then_(render(messages::BFGTR0040E, name_to_text(self->call().command), "the queue manager kept no record"));
  });
}

void source_programs::wait(std::int64_t delay_ms, void (source_programs::*then)()) {
  timer_ = agent_.loop().after(delay_ms, [this, then] { (this->*then)(); });
}

}  // namespace baton::transfer
