#include "agent/transfer/source_transfer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "agent/transfer/planner.hpp"
#include "common/formats/queues.hpp"
#include "common/log.hpp"
#include "common/text.hpp"

namespace baton::transfer {
namespace {

constexpr logger log{"Transfer"};
constexpr std::int64_t progress_interval_ms = 500;  // to who waits for the transfer
constexpr std::int64_t publish_interval_ms = 1000;  // to the coordination service
constexpr std::uint64_t results_unsaved_max = 500;
constexpr int wall_clock_bits = 42;                // milliseconds since 1970 until the year 2109
constexpr std::int64_t parts_patience_ms = 10000;  // until it is said that parts of a plan are missing
constexpr std::uint32_t chunk_bytes_min = 4096;    // whatever the other side says: room for a record and its data
constexpr std::int64_t save_interval_ms = 2000;    // of the durable record
constexpr std::int64_t query_after_ms = 1000;      // of silence; a slow disk may take longer, so nothing else is done

source_limits limits_of(const agent::settings& s, const formats::transfer_request& request) {
  source_limits limits;
  limits.negotiation_timeout_ms = s.negotiation_timeout_ms;
  limits.ack_timeout_ms = s.ack_timeout_ms;
  limits.capacity_retry_ms = s.capacity_retry_ms;
  limits.recovery_retry_ms = s.recovery_retry_ms;
  limits.recovery_timeout_ms = s.recovery_timeout_ms;
  if (request.recovery_timeout_s >= -1)
    limits.recovery_timeout_ms = request.recovery_timeout_s * (request.recovery_timeout_s > 0 ? 1000 : 1);
  limits.fail_at_capacity = s.fail_at_capacity;
  return limits;
}

// Above every attempt of an earlier activation: the epoch is higher in each, on whatever host and clock. Within one
// epoch the wall clock moves on, and the record guards against a clock that was set back.
std::uint64_t first_attempt(const formats::source_record& record, std::uint64_t epoch) {
  return std::max(record.attempt + 1, (epoch << wall_clock_bits) + static_cast<std::uint64_t>(wall_time_ms()));
}

}  // namespace

source_transfer::source_transfer(services& agent, plan_collector& plans, formats::transfer_request request,
                                 formats::source_record record, ended on_end)
    : agent_(agent),
      plans_(plans),
      request_(std::make_shared<const formats::transfer_request>(std::move(request))),
      record_(std::move(record)),
      on_end_(std::move(on_end)),
      machine_(limits_of(agent.settings(), *request_), first_attempt(record_, agent.epoch())),
      ledger_(
          agent, request_, record_, [this](services::stored done) { save_record(std::move(done)); },
          [this] {
            if (!finish_) save_when_behind();
            finish_when_quiet();
          }),
      adopted_(record_.planned),
      recoveries_before_(record_.recoveries),
      started_at_ms_(boot_time_ms()) {
  saved_results_from_ = durable_results_from_ = record_.results_from;
  record_.log_sequence = next_sequence(record_.log_sequence, agent.epoch());
  record_.sequence = next_sequence(record_.sequence, agent.epoch());
}

source_transfer::~source_transfer() {
  *cancelled_ = true;
  for (const auto timer : {wake_, progress_timer_, plan_timer_}) agent_.loop().cancel(timer);
}

void source_transfer::start() {
  feed(source_event::start{adopted_});
}
void source_transfer::cancel() {
  feed(source_event::cancel{});
}

void source_transfer::unreachable(const std::string& why) {
  failure_text_ = render(messages::BFGTR0013E, request_->destination_agent,
                         formats::command_queue(request_->destination_agent), why);
  feed(source_event::unreachable{});
}

void source_transfer::on_negotiated(const formats::negotiated& answer) {
  terms_ = answer;
  heard_at_ms_ = boot_time_ms();
  record_.peer_epoch = answer.epoch;
  record_.peer_run = answer.run;
  failure_text_ = answer.text;  // empty when the destination takes the transfer
  feed(source_event::negotiated{answer.attempt, answer.result_code, answer.window_frames});
  if (state() == source_state::waiting_for_capacity) {
    log(messages::BFGTR0012I, request_->destination_agent, request_->id,
        human_duration_ms(agent_.settings().capacity_retry_ms));
  }
}

void source_transfer::on_ack(const formats::ack& a) {
  heard_at_ms_ = boot_time_ms();
  const bool notice = a.frames == 0 && a.results.empty() && !a.complete;
  if (notice && (a.epoch > record_.peer_epoch || a.attempt == machine_.attempt())) return peer_changed(a.epoch, a.run);
  if (a.attempt == machine_.attempt()) {
    ledger_.settle(a.results);
    for (const auto& result : a.results) {
      if (result.result_code == 1 && reader_) reader_->skip(result.number);
    }
    record_.results_from = ledger_.results_from();
    for (; frames_acked_ < a.frames && !under_way_.empty(); ++frames_acked_) {
      moved_bytes_ += under_way_.front();
      under_way_.pop_front();
    }
  }
  feed(source_event::acked{a.attempt, a.frames, a.complete});
  end_at_first_failure();
  if (!finish_) save_when_behind();
}

// The destination repeats only so many results: the record must not fall behind by more.
void source_transfer::save_when_behind() {
  const std::uint64_t unsaved = ledger_.results_from() - saved_results_from_;
  const bool due = boot_time_ms() - saved_at_ms_ >= save_interval_ms;
  if (unsaved >= results_unsaved_max || due || (held_ && unsaved > 0)) save_record();
}

bool source_transfer::may_read() const {
  const std::uint64_t behind = ledger_.next_number() - std::min(durable_results_from_, ledger_.next_number());
  return behind + formats::items_per_frame_max <= formats::results_told_again(agent_.settings().window_frames);
}

// The destination agent does not know of the newest question: it has adopted the transfer's record from the activation
// before, or was asked and knows nothing.
void source_transfer::peer_changed(std::uint64_t epoch, const std::string& run) {
  record_.peer_epoch = epoch;
  record_.peer_run = run;  // a record with the epoch of one and the run of another would shut the right one out
  peer_changed_ = true;
  feed(source_event::taken_over{});
  peer_changed_ = false;
}

// A destination that knows of the transfer does not answer this: its answer or acknowledgement will come. One that does
// not, because the activation before it died with what it had read, says so.
void source_transfer::query_when_silent() {
  const bool waits = state() == source_state::negotiating || state() == source_state::resynchronising ||
                     ((state() == source_state::running || state() == source_state::resuming) && !under_way_.empty());
  if (!waits || boot_time_ms() - heard_at_ms_ < query_after_ms) return;
  heard_at_ms_ = boot_time_ms();
  formats::transfer_query q;
  q.transfer_id = request_->id;
  q.source_agent = request_->source_agent;
  q.epoch = asked_epoch_;
  q.run = agent_.run();
  q.attempt = machine_.attempt();
  amqp::message m;
  m.durable = false;
  m.subject = formats::subject::transfer_query;
  m.ttl_ms = static_cast<std::uint32_t>(query_after_ms);
  m.body = to_json(q);
  agent_.send(formats::command_queue(request_->destination_agent), std::move(m));
}

void source_transfer::end_at_first_failure() {
  if (finish_ || record_.failed == 0 || !agent_.settings().fail_on_first_failure) return;
  failure_text_ = render(messages::BFGTR0023E);
  feed(source_event::broken{});
}

void source_transfer::feed(const source_input& event) {
  const source_state before = state();
  const auto keep = shared_from_this();  // the last action may end this object's life
  for (const auto& action : machine_.step(event, boot_time_ms())) {
    std::visit([this](const auto& a) { perform(a); }, action);
  }
  if (state() != before) agent_.status_changed();
}

void source_transfer::perform(const source_action::make_plan&) {
  if (record_.planned) return find_plan();
  planner_options options{agent_.settings().transfer_root, agent_.settings().max_files, nullptr};
  const std::string path = plan_path();
  agent_.pool().submit([weak = weak_from_this(), request = request_, options, path,
                        stop = cancelled_]() mutable -> std::function<void()> {
    options.cancelled = stop.get();
    // What an earlier activation listed and did not finish has other numbers.
    auto plan = plan_writer::create(path);
    std::optional<plan_failure> failure;
    if (plan) failure = make_plan(*request, options, [&](const plan_item& item) { plan->add(item); });
    const auto written = plan ? plan->finish() : status(plan.error());
    if (!failure && !written) failure = plan_failure{40, render(messages::BFGTR0019E, written.error().text)};
    const auto summary = summarise_plan(path);
    if (!failure && !summary) failure = plan_failure{40, render(messages::BFGTR0019E, summary.error().text)};
    std::error_code ignored;
    if (*stop) std::filesystem::remove(path, ignored);  // cut short: not a plan
    const plan_totals totals = failure ? plan_totals{} : plan->totals();
    return [weak, totals, summary, failure] {
      const auto self = weak.lock();
      if (!self) return;
      if (failure) return self->no_plan(failure->result_code, failure->text);
      self->plan_made(totals, *summary);
    };
  });
}

void source_transfer::no_plan(int code, std::string text) {
  failure_text_ = std::move(text);
  feed(source_event::plan_failed{code});
}

// Of an adopted transfer: the file of this host if it is the right one, else the parts on STATE.
void source_transfer::find_plan() {
  totals_ = {record_.items_total, record_.bytes_total};
  plan_summary wanted{record_.plan_bytes, record_.plan_parts, std::stoull("0" + record_.plan_check, nullptr, 16)};
  const auto same = [](const result<plan_summary>& found, const plan_summary& as) {
    return found.ok() && found->bytes == as.bytes && found->check == as.check;
  };
  agent_.pool().submit([weak = weak_from_this(), path = plan_path(), wanted, same]() -> std::function<void()> {
    const bool here = same(summarise_plan(path), wanted);
    return [weak, wanted, here] {
      const auto self = weak.lock();
      if (self) here ? self->plan_found() : self->collect_plan(wanted);
    };
  });
}

void source_transfer::collect_plan(const plan_summary& wanted) {
  if (is_end(state())) return;
  plan_timer_ = agent_.loop().after(parts_patience_ms, [this, wanted] {
    log(messages::BFGTR0031W, request_->id, formats::state_queue(agent_.settings().name),
        plans_.parts_of(request_->id, wanted.check), wanted.parts);
  });
  plans_.want(request_->id, wanted, [weak = weak_from_this(), wanted] {
    const auto self = weak.lock();
    if (!self) return;
    self->agent_.loop().cancel(self->plan_timer_);
    self->agent_.pool().submit([weak, wanted, parts = self->plans_.file(self->request_->id, wanted.check),
                                path = self->plan_path()]() -> std::function<void()> {
      const auto failure = adopt_plan_file(parts, path, wanted);
      return [weak, failure] {
        const auto again = weak.lock();
        if (!again) return;
        if (failure) return again->plan_found();
        again->no_plan(code_failed, render(messages::BFGTR0019E, failure.error().text));
      };
    });
  });
}

void source_transfer::plan_found() {
  if (!record_.deleting.empty()) {
    auto plan = plan_reader::open(plan_path());
    if (plan) ledger_.adopt_deleting(*plan);
  }
  log(messages::BFGTR0001I, request_->id, request_->source_agent, request_->destination_agent, totals_.items,
      totals_.bytes);
  save_record();
  tell_progress();
  feed(source_event::planned{});
}

void source_transfer::plan_made(plan_totals totals, const plan_summary& plan) {
  totals_ = totals;
  log(messages::BFGTR0001I, request_->id, request_->source_agent, request_->destination_agent, totals.items,
      totals.bytes);
  auto event = log_event_of(*request_, record_, "started");
  event.items_total = totals.items;
  event.bytes_total = totals.bytes;
  agent_.publish(event);
  if (totals.items == 0) return no_plan(code_failed, render(messages::BFGTR0011W));
  tell_progress();
  keep_plan(plan);
}

// The parts and behind them the record that names them, in one go: when all are on stable storage, data may move.
void source_transfer::keep_plan(const plan_summary& plan) {
  if (is_end(state())) return;
  record_.plan_parts = plan.parts;
  record_.plan_bytes = plan.bytes;
  record_.plan_check = fmt::format("{:016x}", plan.check);
  record_.items_total = totals_.items;
  record_.bytes_total = totals_.bytes;
  const auto step = [weak = weak_from_this()](bool kept) {
    if (const auto self = weak.lock()) self->plan_kept_in_part(kept);
  };
  plan_sender_ = std::make_shared<plan_sender>(agent_, request_->id, plan_path(), plan,
                                               plan_sender::handlers{[this, step] {
                                                                       if (is_end(state())) return;
                                                                       record_.planned = true;
                                                                       save_record(step);
                                                                     },
                                                                     step});
  plan_sender_->start();
}

void source_transfer::plan_kept_in_part(bool kept) {
  if (!kept) return no_plan(code_failed, render(messages::BFGTR0019E, "the queue manager refused it"));
  if (++plan_kept_ == 2) feed(source_event::planned{});
}

void source_transfer::perform(const source_action::negotiate& a) {
  const bool again = adopted_ || record_.attempt > 0;
  record_.attempt = a.attempt;
  record_.recoveries = recoveries_before_ + machine_.recoveries();
  reader_.reset();
  held_ = false;
  asked_epoch_ = agent_.epoch();
  heard_at_ms_ = boot_time_ms();
  formats::negotiate ask;
  ask.transfer_id = request_->id;
  ask.source_agent = request_->source_agent;
  ask.job = request_->job;
  ask.epoch = asked_epoch_;
  ask.run = agent_.run();
  ask.attempt = a.attempt;
  ask.items_total = totals_.items;
  ask.bytes_total = totals_.bytes;
  ask.results_from = ledger_.results_from();
  ask.again = again;
  const auto& s = agent_.settings();
  ask.chunk_bytes = s.chunk_bytes;
  ask.window_frames = s.window_frames;
  amqp::message m;
  m.subject = formats::subject::negotiate;
  m.body = to_json(ask);
  m.ttl_ms = static_cast<std::uint32_t>(s.negotiation_timeout_ms);
  agent_.send(formats::command_queue(request_->destination_agent), std::move(m));
}

void source_transfer::perform(const source_action::open_reader& a) {
  under_way_.clear();
  frames_acked_ = 0;
  moved_bytes_ = record_.bytes + terms_.from.offset;
  auto plan = plan_reader::open(plan_path());
  if (!plan) {
    failure_text_ = render(messages::BFGTR0019E, plan.error().text);
    return;  // read_frame finds no reader and says so
  }
  enter_what_arrived(*plan);
  ledger_.rewind(terms_.from);
  reader_ = std::make_shared<source_reader>(
      std::move(*plan), *request_, formats::frame_header{request_->id, asked_epoch_, a.attempt, 0},
      std::clamp(terms_.chunk_bytes, chunk_bytes_min, std::max(agent_.settings().chunk_bytes, chunk_bytes_min)));
  reader_->pass_over(ledger_.done());
  if (machine_.recoveries() > 0) {
    log(messages::BFGTR0027I, request_->id, terms_.from.item, terms_.from.offset);
  }
  const auto found = reader_->seek(terms_.from);
  if (found) return;
  failure_text_ = render(messages::BFGTR0019E, found.error().text);
  reader_.reset();
}

// The destination may be ahead of the books: it goes on behind items that an earlier run of this agent read, or behind
// one that it refused while it was read. Their results are told again, so they have to wait for them here.
void source_transfer::enter_what_arrived(plan_reader& plan) {
  if (ledger_.next_number() >= terms_.from.item || !plan.seek(ledger_.next_number())) return;
  while (ledger_.next_number() < terms_.from.item) {
    auto item = plan.next();
    if (!item || !*item) return;
    read_item entry;
    entry.failure = (*item)->failure;
    entry.told = entry.failure.empty();
    entry.item = std::move(**item);
    ledger_.add(std::move(entry));
  }
}

void source_transfer::perform(const source_action::read_frame&) {
  if (!reader_) {
    agent_.loop().post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->feed(source_event::broken{});
    });
    return;
  }
  held_ = !may_read();
  if (held_) return save_when_behind();
  agent_.pool().submit([weak = weak_from_this(), reader = reader_, request = request_,
                        attempt = machine_.attempt()]() -> std::function<void()> {
    auto frame = std::make_shared<read_frame>(reader->next_frame());
    return [weak, frame, attempt] {
      if (const auto self = weak.lock()) self->frame_done(attempt, frame);
    };
  });
}

void source_transfer::frame_done(std::uint64_t attempt, std::shared_ptr<read_frame> frame) {
  if (attempt != machine_.attempt() || finish_) return;
  if (!frame->broken.empty()) {
    failure_text_ = render(messages::BFGTR0019E, frame->broken);
    return feed(source_event::broken{});
  }
  for (auto& item : frame->ended) ledger_.add(std::move(item));
  ready_ = std::move(frame);
  feed(source_event::frame_read{attempt, ready_->last});
  ready_.reset();
  end_at_first_failure();
}

void source_transfer::perform(const source_action::send_frame&) {
  under_way_.push_back(ready_->data_bytes);
  current_item_ = ready_->current;
  amqp::message m;
  m.durable = false;
  m.subject = formats::subject::data;
  m.body = std::move(ready_->bytes);
  agent_.send_data(formats::data_queue(request_->destination_agent), std::move(m));
}

void source_transfer::perform(const source_action::recover&) {
  const bool adopted = state() == source_state::recovering;
  const char* why = adopted ? "the agent was interrupted while it was under way" : "no answer came in time";
  if (peer_changed_) why = "the destination agent was interrupted";
  log(messages::BFGTR0005W, request_->id, why);
  tell_progress();
}

void source_transfer::perform(const source_action::wake_at& a) {
  agent_.loop().cancel(wake_);
  wake_ = agent_.loop().after(std::max<std::int64_t>(a.time_ms - boot_time_ms(), 0), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->feed(source_event::tick{});
  });
}

void source_transfer::perform(const source_action::finish& a) {
  *cancelled_ = true;
  agent_.loop().cancel(wake_);
  finish_ = a;
  if (machine_.attempt() >= record_.attempt && record_.attempt > 0) {
    formats::finish done_with;
    done_with.transfer_id = request_->id;
    done_with.epoch = asked_epoch_ > 0 ? asked_epoch_ : agent_.epoch();
    done_with.run = agent_.run();
    done_with.attempt = machine_.attempt();
    done_with.how = a.how;
    amqp::message m;
    m.subject = formats::subject::finish;
    m.body = to_json(done_with);
    agent_.send(formats::command_queue(request_->destination_agent), std::move(m));
  }
  finish_when_quiet();
}

// The last steps, once no source is being deleted any more: books, result, answer, and the end of the record.
void source_transfer::finish_when_quiet() {
  if (!finish_ || ledger_.busy()) return;
  if (finish_->code == code_complete) ledger_.close_unanswered(render(messages::BFGTR0022E));
  ledger_.flush();
  int code = finish_->code;
  const std::uint64_t items = record_.succeeded + record_.failed;
  if (code == code_complete && record_.failed > 0) code = code_failed;
  if (code == code_failed && record_.succeeded > 0) code = 20;
  std::string text = failure_text_;
  if (code == 0) text = render(messages::BFGRP0032I);
  if (code == 20) text = render(messages::BFGRP0033I, record_.failed, items) + (text.empty() ? "" : " " + text);
  if (code == code_failed && text.empty()) text = render(messages::BFGRP0034I);
  if (code == code_cancelled) text = render(messages::BFGRP0901I);
  const std::int64_t recovery_timeout_s =
      request_->recovery_timeout_s >= -1 ? request_->recovery_timeout_s : agent_.settings().recovery_timeout_ms / 1000;
  if (code == code_recovery_timed_out) text = render(messages::BFGTR0014E, recovery_timeout_s);
  const std::int64_t elapsed = wall_time_ms() - record_.start_time_ms;
  log(messages::BFGTR0002I, request_->id, code, items, record_.failed, record_.bytes, human_duration_ms(elapsed), text);
  auto event = log_event_of(*request_, record_, code == code_cancelled ? "cancelled" : "completed");
  event.result_code = code;
  event.supplement = text;
  event.items_total = totals_.items;
  event.bytes_total = totals_.bytes;
  agent_.publish(event);
  if (!record_.reply_to.empty()) {
    formats::reply answer;
    answer.result_code = code;
    answer.text = text;
    answer.transfer_id = request_->id;
    answer.items = items;
    answer.failed = record_.failed;
    answer.bytes = record_.bytes;
    answer.elapsed_ms = elapsed;
    amqp::message m;
    m.durable = false;
    m.subject = formats::subject::reply;
    m.correlation_id = record_.correlation_id;
    m.body = to_json(answer);
    agent_.send(record_.reply_to, std::move(m));
  }
  std::error_code ignored;
  std::filesystem::remove(plan_path(), ignored);
  plans_.drop(request_->id);
  agent_.forget_source(request_->id);
  finish_.reset();
  on_end_(request_->id);
}

formats::progress source_transfer::how_far() const {
  formats::progress p;
  p.transfer_id = request_->id;
  p.state = to_string(state());
  p.items = record_.succeeded + record_.failed;
  p.items_total = totals_.items;
  p.failed = record_.failed;
  p.bytes = std::min(std::max(record_.bytes, moved_bytes_), std::max(totals_.bytes, record_.bytes));
  p.current_item = name_to_text(current_item_);
  p.bytes_total = totals_.bytes;
  p.elapsed_ms = boot_time_ms() - started_at_ms_;
  return p;
}

// To who waits, and less often to the coordination service; again and again until the transfer ends.
void source_transfer::tell_progress() {
  agent_.loop().cancel(progress_timer_);
  if (finish_ || is_end(state())) return;
  query_when_silent();
  const auto now = how_far();
  if (!record_.reply_to.empty()) {
    amqp::message m;
    m.durable = false;
    m.subject = formats::subject::progress;
    m.correlation_id = record_.correlation_id;
    m.body = to_json(now);
    agent_.send(record_.reply_to, std::move(m));
  }
  if (boot_time_ms() - published_at_ms_ >= publish_interval_ms) {
    published_at_ms_ = boot_time_ms();
    agent_.publish(formats::transfer_status{now, request_->source_agent, request_->destination_agent, request_->job,
                                            wall_time_ms()});
  }
  progress_timer_ = agent_.loop().after(progress_interval_ms, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->tell_progress();
  });
}

void source_transfer::save_record(services::stored done) {
  saved_at_ms_ = boot_time_ms();
  record_.results_from = saved_results_from_ = ledger_.results_from();
  record_.done = ledger_.closed_behind();
  record_.epoch = agent_.epoch();
  ++record_.sequence;
  agent_.save(record_, [weak = weak_from_this(), from = saved_results_from_, done = std::move(done)](bool kept) {
    const auto self = weak.lock();
    if (self && kept) self->durable_results_from_ = std::max(self->durable_results_from_, from);
    if (done) done(kept);
    if (self && self->held_ && self->may_read()) self->perform(source_action::read_frame{});
  });
}

std::string source_transfer::plan_path() const {
  return agent_.settings().plan_directory + "/" + request_->id + ".plan";
}

}  // namespace baton::transfer
