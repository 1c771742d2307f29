#include "agent/transfer/source_transfer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "agent/transfer/left_behind.hpp"
#include "agent/transfer/source_messages.hpp"
#include "common/formats/queues.hpp"
#include "common/log.hpp"
#include "common/text.hpp"

namespace baton::transfer {
namespace {

constexpr logger log{"Transfer"};
constexpr std::int64_t progress_interval_ms = 500;
constexpr std::int64_t refused_retry_ms = 1000;
constexpr int wall_clock_bits = 42;            // milliseconds since 1970 until the year 2109
constexpr std::int64_t query_after_ms = 1000;  // of silence; a slow disk may take longer, so nothing else is done

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

std::string_view word_of(int code) {
  if (code == code_cancelled) return "cancelled";
  return code == code_complete || code == code_partial ? "completed" : "failed";
}

}  // namespace

source_transfer::source_transfer(services& agent, const shared& of_agent, formats::transfer_request request,
                                 formats::source_record record, ended on_end)
    : agent_(agent),
      request_(std::make_shared<const formats::transfer_request>(std::move(request))),
      record_(std::move(record)),
      on_end_(std::move(on_end)),
      machine_(limits_of(agent.settings(), *request_), first_attempt(record_, agent.epoch())),
      events_(agent),
      ledger_(
          agent, events_, request_, record_, [this](services::stored done) { books_.save(std::move(done)); },
          [this] {
            if (!finish_) books_.save_when_behind(held_);
            finish_when_quiet();
          }),
      books_(agent, events_, ledger_, record_,
             [this](bool kept) {
               if (!held_ || waits_ || finish_) return;
               const bool room = books_.has_room();
               if (kept && !room) return;  // one that was refused is offered again all the same
               agent_.loop().cancel(read_timer_);
               if (room) return perform(source_action::read_frame{});
               read_timer_ = agent_.loop().after(refused_retry_ms, [this] { books_.save(); });
             }),
      plan_(std::make_shared<source_plan>(agent, of_agent.plans, request_, record_, plan_handlers())),
      path_(std::make_shared<source_path>(agent, of_agent.channels, request_, path_handlers())),
      programs_(std::make_shared<source_programs>(agent, of_agent.programs, request_, record_,
                                                  [this](services::stored done) { books_.save(std::move(done)); })),
      messages_(make_source_queue(of_agent.queues)),
      of_agent_(of_agent.bandwidth),
      report_(agent, events_, request_, record_),
      adopted_(record_.planned),
      recoveries_before_(record_.recoveries),
      started_at_ms_(boot_time_ms()) {
  record_.log_sequence = next_sequence(record_.log_sequence, agent.epoch());
  record_.sequence = next_sequence(record_.sequence, agent.epoch());
}

source_transfer::~source_transfer() {
  plan_->stop();
  programs_->stop();
  path_->close();
  for (const auto timer : {wake_, progress_timer_, read_timer_}) agent_.loop().cancel(timer);
}

void source_transfer::start() {
  closing_ = record_.result_code != formats::source_record::not_ended;
  if (closing_) return tell_end();
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
  durable_ = answer.from;
  heard_at_ms_ = boot_time_ms();
  record_.peer_epoch = answer.epoch;
  record_.peer_run = answer.run;
  failure_text_ = answer.text;  // empty when the destination takes the transfer
  if (answer.attempt == machine_.attempt()) path_->offered(answer.direct);
  feed(source_event::negotiated{answer.attempt, answer.result_code});
  if (state() == source_state::waiting_for_capacity) {
    log(messages::BFGTR0012I, request_->destination_agent, request_->id,
        human_duration_ms(agent_.settings().capacity_retry_ms));
  }
}

// Of a destination whose epochs began again, or of an instance that has lost the lock: asked anew with what was seen,
// the first claims above that, and the second is not reached.
void source_transfer::on_stale_answer(std::uint64_t epoch, const std::string& run) {
  const bool asks = state() == source_state::negotiating || state() == source_state::resynchronising;
  if (!asks || (seen_.epoch == epoch && seen_.run == run)) return;
  seen_ = {epoch, run};
  feed(source_event::taken_over{});
}

void source_transfer::on_ack(const formats::ack& a) {
  heard_at_ms_ = boot_time_ms();
  const bool halted = a.halted != formats::halt_reason::none;
  const bool notice = a.frames == 0 && a.results.empty() && !a.complete && !halted;
  if (notice && (a.epoch > record_.peer_epoch || a.attempt == machine_.attempt())) return peer_changed(a.epoch, a.run);
  if (a.attempt == machine_.attempt() && !closing_) {
    ledger_.settle(a.results);
    // What is under way behind a checkpoint is a window, and that is all that is sent again.
    stopped_ |= stop_wanted_ && a.durable > durable_;
    durable_ = std::max(durable_, a.durable);
    for (const auto& result : a.results) {
      if (result.result_code == 1 && reader_) reader_->skip(result.number);
      if (result.result_code == 1) go_on_reading();
    }
    if (waits_ && a.durable.item == 0 && a.durable.offset == plan_->totals().bytes) messages_->arrived();
    for (; frames_acked_ < a.frames && !under_way_.empty(); ++frames_acked_) {
      moved_bytes_ += under_way_.front();
      under_way_.pop_front();
    }
  }
  halted ? on_halt(a) : feed(source_event::acked{a.attempt, a.frames, a.complete, ledger_.lacks_results()});
  end_at_first_failure();
  if (!finish_) books_.save_when_behind(held_);
}

void source_transfer::on_halt(const formats::ack& a) {
  const bool no_room = a.halted == formats::halt_reason::no_room;
  failure_text_ = no_room ? a.text : "";  // the transfer may be one that does not wait
  feed(source_event::halted{a.attempt, no_room});
  if (state() == source_state::waiting_for_capacity) {
    log(messages::BFGTR0039W, request_->destination_agent, request_->id,
        human_duration_ms(agent_.settings().capacity_retry_ms), a.text);
  }
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
  send_query(agent_, *request_, {asked_epoch_, machine_.attempt()}, query_after_ms);
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
  if (record_.planned) return plan_->find();
  messages_ ? messages_->collect() : plan_->make();
}

std::unique_ptr<source_queue> source_transfer::make_source_queue(queue::subscribers& queues) {
  if (!formats::is_from_queue(*request_)) return nullptr;
  return std::make_unique<source_queue>(
      agent_, queues, request_, record_, plan_->path(),
      source_queue::handlers{[this](plan_item item) { plan_->make(std::move(item)); },
                             [this](const std::string& why) { no_messages(why); },
                             [this](services::stored done) { books_.save(std::move(done)); },
                             [this] { messages_taken(); }});
}

// They are not on the queue, or cannot be read: before data moves, or when they were lost while it moved.
void source_transfer::no_messages(const std::string& why) {
  const auto keep = shared_from_this();
  no_plan(code_failed, why);
  if (!is_end(state())) feed(source_event::broken{});
}

// The item may end now.
void source_transfer::messages_taken() {
  if (reader_) reader_->messages_are_taken();
  go_on_reading();
}

// Only if a frame is wanted: with a full window it is asked for when there is room.
void source_transfer::go_on_reading() {
  if (std::exchange(waits_, false) && held_) perform(source_action::read_frame{});
}

source_plan::handlers source_transfer::plan_handlers() {
  return {[this] { plan_listed(); }, [this] { plan_ready(); },
          [this](int code, std::string text) { no_plan(code, std::move(text)); },
          [this](services::stored done) { books_.save(std::move(done)); }};
}

void source_transfer::plan_listed() {
  report_.began(plan_->totals(), false);
  if (plan_->totals().items == 0) return no_plan(code_failed, render(messages::BFGTR0011W));
  tell_progress();
  plan_->keep();
}

void source_transfer::plan_ready() {
  if (!adopted_) return before_data();
  std::vector<std::uint64_t> deleting;
  for (const auto& item : record_.deleting) deleting.push_back(item.number);
  std::sort(deleting.begin(), deleting.end());
  plan_->look_up(std::move(deleting), [this](std::vector<plan_item> items) {
    ledger_.adopt_deleting(std::move(items));
    report_.began(plan_->totals(), true);
    books_.save();
    tell_progress();
    messages_ ? look_up_messages() : before_data();
  });
}

void source_transfer::look_up_messages() {
  plan_->look_up({0}, [this](std::vector<plan_item> items) {
    if (items.empty()) return no_plan(code_failed, render(messages::BFGTR0019E, plan_->path()));
    messages_->recover(std::move(items.front()), [this] { before_data(); });
  });
}

void source_transfer::before_data() {
  programs_->run(source_programs::point::pre_source, [this](const std::string& failure) {
    failure.empty() ? feed(source_event::planned{}) : no_plan(code_failed, failure);
  });
}

void source_transfer::no_plan(int code, std::string text) {
  failure_text_ = std::move(text);
  feed(source_event::plan_failed{code});
}

void source_transfer::perform(const source_action::negotiate& a) {
  const bool again = adopted_ || record_.attempt > 0;
  record_.attempt = a.attempt;
  record_.recoveries = recoveries_before_ + machine_.recoveries();
  reader_.reset();
  path_->close();
  agent_.loop().cancel(read_timer_);
  held_ = false;
  asked_epoch_ = agent_.epoch();
  heard_at_ms_ = boot_time_ms();
  send_negotiate(agent_, *request_, {asked_epoch_, a.attempt}, plan_->totals(), ledger_.results_from(), again, seen_);
}

void source_transfer::perform(const source_action::open_reader& a) {
  under_way_.clear();
  frames_acked_ = 0;
  moved_bytes_ = record_.bytes + terms_.from.offset;
  opening_ = true;
  path_wanted_ = waits_ = false;
  const formats::frame_header header{request_->id, asked_epoch_, a.attempt, 0};
  const reader_start start{plan_->path(), header, limits().chunk_bytes, terms_.from, ledger_.next_number()};
  agent_.pool().submit([weak = weak_from_this(), request = request_, start]() -> std::function<void()> {
    auto opened = std::make_shared<opened_reader>(open_reader(*request, start));
    return [weak, start, opened] {
      const auto self = weak.lock();
      if (self && self->machine_.attempt() == start.header.attempt && !self->finish_)
        self->reader_opened(start, *opened);
    };
  });
}

// The destination may be ahead of the books: it goes on behind items that an earlier run of this agent read, or behind
// one that it refused while it was read. Their results are told again, so they have to wait for them here.
void source_transfer::reader_opened(const reader_start& start, opened_reader& opened) {
  opening_ = false;
  for (auto& item : opened.before) {
    read_item entry;
    entry.failure = item.failure;
    entry.told = entry.failure.empty();
    entry.item = std::move(item);
    ledger_.add(std::move(entry));
  }
  ledger_.rewind(start.from);
  reader_ = std::move(opened.reader);
  failure_text_ = opened.failure;  // with it there is no reader, and read_frame says so
  if (reader_) reader_->pass_over(books_.durably_done());
  if (reader_ && messages_ && messages_->taken()) reader_->messages_are_taken();
  if (machine_.recoveries() > 0) log(messages::BFGTR0027I, request_->id, start.from.item, start.from.offset);
  if (path_wanted_) path_->open();
}

std::int64_t source_transfer::rate_wait_ms() {
  const std::int64_t now = boot_time_ms();
  of_agent_.set_rate(agent_.settings().bandwidth_limit, now);
  of_transfer_.set_rate(request_->bandwidth, now);
  return std::max(of_agent_.wait_ms(now), of_transfer_.wait_ms(now));
}

frame_limits source_transfer::limits() const {
  const auto& own = agent_.settings();
  // Whatever the other side says: what is read and not acknowledged is this side's memory.
  const bool direct = path_->direct();
  const auto agreed = smaller_of({terms_.chunk_bytes, terms_.window_frames}, limits_wanted(agent_, direct));
  return limits_of_path(agreed, direct, {own.bandwidth_limit, request_->bandwidth});
}

void source_transfer::perform(const source_action::open_path&) {
  path_wanted_ = true;
  if (!opening_) path_->open();
}

source_path::handlers source_transfer::path_handlers() {
  return {[this] {
            feed(source_event::path_open{machine_.attempt(), limits().window_frames});
          },
          [this] { feed(source_event::path_lost{machine_.attempt()}); }, [this] { feed(source_event::better_path{}); }};
}

bool source_transfer::at_checkpoint() {
  stop_wanted_ = true;
  return stopped_ || (state() != source_state::running && state() != source_state::resuming);
}

void source_transfer::perform(const source_action::read_frame&) {
  if (stopped_) return;
  if (!reader_) {
    agent_.loop().post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->feed(source_event::broken{});
    });
    return;
  }
  held_ = waits_ || !books_.has_room();
  if (waits_) return;
  if (held_) return books_.save_when_behind(held_);
  if (const std::int64_t wait = rate_wait_ms()) {
    read_timer_ = agent_.loop().after(wait, [this] { perform(source_action::read_frame{}); });
    return;
  }
  agent_.pool().submit([weak = weak_from_this(), reader = reader_, request = request_, attempt = machine_.attempt(),
                        chunk = limits().chunk_bytes]() -> std::function<void()> {
    reader->set_chunk_bytes(chunk);
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
  for (auto* bucket : {&of_agent_, &of_transfer_}) bucket->take(frame->data_bytes, boot_time_ms());
  for (auto& item : frame->ended) ledger_.add(std::move(item));
  waits_ = frame->waits;
  ready_ = std::move(frame);
  feed(source_event::frame_read{attempt, ready_->last});
  ready_.reset();
  end_at_first_failure();
}

void source_transfer::perform(const source_action::send_frame&) {
  under_way_.push_back(ready_->data_bytes);
  record_.sent_bytes += ready_->data_bytes;
  current_item_ = ready_->current;
  path_->send(std::move(ready_->bytes));
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
  plan_->stop();
  programs_->stop();
  path_->close();
  waits_ = false;
  if (messages_) messages_->give_back();
  for (const auto timer : {wake_, read_timer_}) agent_.loop().cancel(timer);
  finish_ = a;
  finish_when_quiet();
}

// The last steps, once no source is being deleted any more.
void source_transfer::finish_when_quiet() {
  if (!finish_ || ledger_.busy() || std::exchange(closing_, true)) return;
  const auto keep = shared_from_this();
  if (finish_->code == code_complete) ledger_.close_unanswered(render(messages::BFGTR0022E));
  ledger_.flush();
  if (finish_->code != code_complete || record_.failed > 0) return close_books();
  programs_->run(source_programs::point::post_source, [this](const std::string& failure) {
    if (!failure.empty()) finish_->code = code_partial;
    failure_text_ = failure;
    close_books();
  });
}

// The end is durable before anybody hears of it. The destination forgets the transfer then, and who waited for it may
// take its files: an activation that did not know of the end would send them once more.
void source_transfer::close_books() {
  record_.result_code = finish_->code;
  record_.result_text = failure_text_;
  record_.items_total = plan_->totals().items;
  record_.bytes_total = plan_->totals().bytes;
  books_.save([this](bool) { tell_end(); });
}

// Result, answer, and the end of the record, which goes when the log has the end.
void source_transfer::tell_end() {
  if (record_.attempt > 0) tell_destination({});
  report_.ended(record_.result_code, record_.result_text, {record_.items_total, record_.bytes_total});
  events_.when_told([this] { tell_left_behind(); });
}

void source_transfer::tell_destination(std::vector<std::string> directories) {
  const asked now{asked_epoch_ > 0 ? asked_epoch_ : agent_.epoch(), machine_.attempt()};
  send_finish(agent_, *request_, now, word_of(record_.result_code), std::move(directories));
}

// What the destination may have to clear away, where items have no result.
void source_transfer::tell_left_behind() {
  if (record_.attempt == 0 || record_.succeeded + record_.failed >= record_.items_total) return forget();
  agent_.pool().submit([weak = weak_from_this(), plan = plan_->path(), from = ledger_.results_from(),
                        closed = ledger_.closed_behind()]() -> std::function<void()> {
    return [weak, directories = directories_of(plan, from, closed)] {
      const auto self = weak.lock();
      if (!self) return;
      if (!directories.empty()) self->tell_destination(directories);
      self->forget();
    };
  });
}

void source_transfer::forget() {
  const auto keep = shared_from_this();  // on_end_ drops this object, and itself with it
  plan_->remove();
  if (messages_) messages_->end(record_.failed == 0 && record_.succeeded > 0);
  books_.end();
  agent_.forget_source(request_->id);
  finish_.reset();
  on_end_(request_->id);
}

formats::progress source_transfer::how_far() const {
  formats::progress p;
  p.transfer_id = request_->id;
  p.state = to_string(state());
  p.items = record_.succeeded + record_.failed;
  p.items_total = plan_->totals().items;
  p.failed = record_.failed;
  p.bytes = std::min(std::max(record_.bytes, moved_bytes_), std::max(plan_->totals().bytes, record_.bytes));
  p.current_item = name_to_text(current_item_);
  p.bytes_total = plan_->totals().bytes;
  p.elapsed_ms = boot_time_ms() - started_at_ms_;
  p.retries = recoveries_before_ + machine_.recoveries();
  const std::uint64_t of_use = std::accumulate(under_way_.begin(), under_way_.end(), p.bytes);
  p.wasted_bytes = record_.sent_bytes - std::min(record_.sent_bytes, of_use);
  const bool sends = state() == source_state::running || state() == source_state::resuming;
  if (sends) p.channel = path_->name();
  return p;
}

// Again and again until the transfer ends.
void source_transfer::tell_progress() {
  agent_.loop().cancel(progress_timer_);
  if (finish_ || is_end(state())) return;
  query_when_silent();
  report_.progress(how_far());
  progress_timer_ = agent_.loop().after(progress_interval_ms, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->tell_progress();
  });
}

}  // namespace baton::transfer
