#include "agent/transfer/destination_transfer.hpp"

#include <algorithm>
#include <utility>

#include "common/formats/queues.hpp"
#include "common/log.hpp"

namespace baton::transfer {
namespace {

constexpr logger log{"Transfer"};
// The durable record is saved at the first checkpoint after so long, or so much: at most that is sent again.
constexpr std::int64_t save_interval_ms = 500;
constexpr std::uint64_t save_bytes = 32 << 20;

destination_limits limits_of(const agent::settings& s) {
  destination_limits limits;
  limits.silence_ms = s.ack_timeout_ms * std::max(s.ack_timeout_retries, 1);
  return limits;
}

writer_options options_of(services& agent, const formats::negotiate& terms,
                          const std::shared_ptr<const std::atomic<bool>>& over) {
  writer_options options;
  options.transfer_id = terms.transfer_id;
  options.epoch = agent.epoch();
  options.checkpoint_frames = std::max<std::uint32_t>(agent.settings().checkpoint_frames, 1);
  options.checkpoint_bytes = std::uint64_t{options.checkpoint_frames} * agent.settings().chunk_bytes;
  options.root = agent.settings().transfer_root;
  options.again = terms.again;
  options.may_act = [&agent, over] { return !*over && agent.lease_holds(); };
  return options;
}

}  // namespace

void send_notice(services& agent, const std::string& source_agent, const std::string& transfer_id,
                 std::uint64_t attempt) {
  formats::ack a;
  a.transfer_id = transfer_id;
  a.epoch = agent.epoch();
  a.run = agent.run();
  a.attempt = attempt;
  amqp::message m;
  m.durable = false;
  m.subject = formats::subject::ack;
  m.body = to_json(a);
  agent.send(formats::reply_queue(source_agent), std::move(m));
}

destination_transfer::destination_transfer(services& agent, channel::direct_channels& channels,
                                           const formats::negotiate& first, ended on_end)
    : agent_(agent),
      terms_(first),
      on_end_(std::move(on_end)),
      machine_(limits_of(agent.settings())),
      path_(channels),
      results_(first.results_from) {
  record_.transfer_id = first.transfer_id;
  record_.sequence = next_sequence(0, agent.epoch());
  saved_at_ms_ = boot_time_ms();
  writer_ = std::make_shared<destination_writer>(options_of(agent, first, over_), first.results_from);
  log(messages::BFGTR0003I, first.transfer_id, first.source_agent, first.items_total, first.bytes_total);
}

destination_transfer::destination_transfer(services& agent, channel::direct_channels& channels,
                                           const formats::destination_record& left, ended on_end)
    : agent_(agent),
      terms_(left.terms),
      record_(left),
      on_end_(std::move(on_end)),
      machine_(limits_of(agent.settings())),
      path_(channels),
      results_(std::nullopt),
      recorded_(true) {
  terms_.again = true;
  record_.sequence = next_sequence(record_.sequence, agent.epoch());
  writer_ = std::make_shared<destination_writer>(options_of(agent, terms_, over_), left.durable.item);
  log(messages::BFGTR0028I, terms_.transfer_id, terms_.source_agent, formats::state_queue(agent.settings().name));
}

destination_transfer::~destination_transfer() {
  // After an orderly end the last job still has to remove what is left.
  if (state() != destination_state::completed) *over_ = true;
  agent_.loop().cancel(wake_);
}

void destination_transfer::adopt() {
  feed(destination_event::adopted{});
  // It would wait for acknowledgements of frames that died with the activation before.
  send_notice(agent_, terms_.source_agent, terms_.transfer_id, terms_.attempt);
}

void destination_transfer::supersede(const formats::destination_record& left) {
  record_.sequence = std::max(record_.sequence, next_sequence(left.sequence, agent_.epoch()));
  recorded_ = true;
}

void destination_transfer::on_negotiate(const formats::negotiate& ask) {
  if (ask.attempt < machine_.attempt()) return;
  terms_ = ask;
  feed(destination_event::negotiated{ask.attempt});
}

void destination_transfer::on_frame(const formats::frame_header& header, held_bytes frame) {
  if (header.epoch != terms_.epoch) return;
  arriving_ = std::move(frame);
  feed(destination_event::frame{header.attempt, header.sequence});
  arriving_ = {};
}

void destination_transfer::on_finish(const formats::finish& end) {
  how_ = end.how;
  feed(destination_event::finished{});
}

void destination_transfer::feed(const destination_input& event) {
  const destination_state before = state();
  const auto keep = shared_from_this();  // the last action may end this object's life
  for (const auto& action : machine_.step(event, boot_time_ms())) {
    std::visit([this](const auto& a) { perform(a); }, action);
  }
  if (state() != before) agent_.status_changed();
}

void destination_transfer::perform(const destination_action::adopt_part&) {
  open_part left{record_.durable.item, record_.durable.offset, record_.path,       record_.part,
                 record_.size,         record_.modified_s,     record_.modified_ns};
  agent_.pool().submit([weak = weak_from_this(), writer = writer_, left]() -> std::function<void()> {
    writer->adopt(left);
    return [weak] {
      const auto self = weak.lock();
      if (!self) return;
      self->save_record();
      self->feed(destination_event::part_found{});
    };
  });
}

void destination_transfer::perform(const destination_action::rewind&) {
  frames_.clear();
  auto done = results_.numbers();
  // The first question may have come to an earlier activation as well, which died before it was rid of it.
  if (terms_.again) writer_->expect_earlier_run();
  if (!results_.asked_from(terms_.results_from)) writer_->begin_at(terms_.results_from);
  writer_->rewind(std::move(done));
}

void destination_transfer::perform(const destination_action::answer& a) {
  formats::negotiated answer;
  answer.transfer_id = terms_.transfer_id;
  answer.epoch = agent_.epoch();
  answer.run = agent_.run();
  answer.attempt = a.attempt;
  answer.from = durable_ = writer_->durable();
  if (terms_.again) log(messages::BFGTR0027I, terms_.transfer_id, answer.from.item, answer.from.offset);
  const auto agreed = limits(false);
  answer.chunk_bytes = agreed.chunk_bytes;
  answer.window_frames = agreed.window_frames;
  if (terms_.direct) answer.direct = path_.offer();
  // More than is under way at once is worth a record from the start: the next activation tells the source at once.
  if (!recorded_ && terms_.bytes_total > std::uint64_t{answer.chunk_bytes} * answer.window_frames) save_record();
  amqp::message m;
  m.durable = false;
  m.subject = formats::subject::negotiated;
  m.body = to_json(answer);
  agent_.send(formats::reply_queue(terms_.source_agent), std::move(m));
  // Acknowledgements may have been lost with the connection: what the source lacks is told again.
  lacking_ = results_.all();
  if (!lacking_.empty()) send_ack(0, lacking_, false);
}

void destination_transfer::perform(const destination_action::queue_frame&) {
  const auto header = formats::read_frame_header(arriving_);
  frames_.emplace_back(header->sequence, std::move(arriving_));
}

bool destination_transfer::at_checkpoint() {
  stop_wanted_ = true;
  return stopped_ || state() != destination_state::running;
}

void destination_transfer::perform(const destination_action::write_frame& a) {
  if (stopped_) return;
  auto next = std::move(frames_.front());
  frames_.pop_front();
  agent_.pool().submit([weak = weak_from_this(), writer = writer_, next = std::move(next), more = a.more,
                        attempt = machine_.attempt()]() -> std::function<void()> {
    auto written = std::make_shared<written_frame>(writer->write(next.second, more));
    return [weak, written, attempt, sequence = next.first] {
      if (const auto self = weak.lock()) self->frame_written(attempt, sequence, written);
    };
  });
}

void destination_transfer::frame_written(std::uint64_t attempt, std::uint64_t sequence,
                                         std::shared_ptr<written_frame> frame) {
  // The activation is over, or will be in a moment; or the lock was uncertain for a moment only, and it goes on.
  if (frame->dropped) {
    frame->halted = {trouble::damaged, "for a moment this instance was not certain to hold its lock"};
    frame->results.clear();
  }
  for (const auto& result : frame->results) {
    if (result.result_code != 0) log(messages::BFGTR0007E, result.number, terms_.transfer_id, result.text);
    results_.add(result, formats::results_told_again(terms_.window_frames));
  }
  // So that at most a little is sent again, and small transfers leave nothing on STATE.
  const bool first = !recorded_ && frame->durable.offset > 0;
  const std::uint64_t saved = frame->durable.item == record_.durable.item ? record_.durable.offset : 0;
  const bool far = frame->durable.offset >= saved + save_bytes;
  // Behind a checkpoint the next activation has nothing to ask for again but what is queued here.
  stopped_ |= stop_wanted_ && !frame->dropped && frame->durable > durable_;
  const bool due = stopped_ || first || far || boot_time_ms() - saved_at_ms_ >= save_interval_ms;
  if (due && !frame->dropped) save_record();
  durable_ = frame->durable;
  written_ = std::move(frame);
  const bool tells = !written_->results.empty() || written_->complete;
  const auto ack_every = tells ? 1 : frames_per_ack(limits_of_path(limits(path_.direct()), path_.direct(), {}));
  feed(destination_event::written{attempt, sequence, written_->halted.what, ack_every});
  written_.reset();
}

frame_limits destination_transfer::limits(bool direct) const {
  return smaller_of({terms_.chunk_bytes, terms_.window_frames}, limits_wanted(agent_, direct));
}

void destination_transfer::perform(const destination_action::acknowledge& a) {
  no_room_told_ = false;
  if (!written_) return send_ack(a.frames, {}, false);  // that waited
  auto results = std::move(written_->results);
  // That may come on another way, before what was told at the start of the attempt.
  if (written_->complete) results.insert(results.begin(), lacking_.begin(), lacking_.end());
  send_ack(a.frames, std::move(results), written_->complete);
}

void destination_transfer::perform(const destination_action::halt&) {
  const bool no_room = written_->halted.what == trouble::no_room;
  if (!no_room) {
    log(messages::BFGTR0037W, terms_.transfer_id, written_->halted.text);
  } else if (!std::exchange(no_room_told_, true)) {
    log(messages::BFGTR0038W, terms_.transfer_id, written_->halted.text);
  }
  formats::ack a;
  a.results = std::move(written_->results);
  a.halted = no_room ? formats::halt_reason::no_room : formats::halt_reason::damaged;
  a.text = std::move(written_->halted.text);
  send(std::move(a));
}

// Only while no worker has the writer.
void destination_transfer::save_record() {
  saved_at_ms_ = boot_time_ms();
  ++record_.sequence;
  record_.epoch = agent_.epoch();
  record_.terms = terms_;
  record_.durable = writer_->durable();
  const auto open = writer_->open_item().value_or(open_part{});
  record_.path = open.path;
  record_.part = open.part;
  record_.size = open.size;
  record_.modified_s = open.modified_s;
  record_.modified_ns = open.modified_ns;
  recorded_ = true;
  agent_.save(record_);
}

void destination_transfer::send_ack(std::uint64_t frames, std::vector<formats::item_result> results, bool complete) {
  formats::ack a;
  a.frames = frames;
  a.results = std::move(results);
  a.complete = complete;
  send(std::move(a));
}

void destination_transfer::send(formats::ack a) {
  a.transfer_id = terms_.transfer_id;
  a.epoch = agent_.epoch();
  a.run = agent_.run();
  a.attempt = machine_.attempt();
  a.durable = durable_;
  amqp::message m;
  m.durable = false;
  m.subject = formats::subject::ack;
  m.body = to_json(a);
  if (path_.send_ack(m.body)) return;
  agent_.send(formats::reply_queue(terms_.source_agent), std::move(m));
}

void destination_transfer::perform(const destination_action::close&) {
  agent_.loop().cancel(wake_);
  path_.close();
  frames_.clear();
  agent_.pool().submit([writer = writer_]() -> std::function<void()> {
    writer->discard();
    return nullptr;
  });
  log(messages::BFGTR0004I, terms_.transfer_id, how_);
  if (recorded_) agent_.forget_destination(terms_.transfer_id);
  on_end_(terms_.transfer_id);
}

void destination_transfer::perform(const destination_action::wake_at& a) {
  agent_.loop().cancel(wake_);
  wake_ = agent_.loop().after(std::max<std::int64_t>(a.time_ms - boot_time_ms(), 0), [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->feed(destination_event::tick{});
  });
}

}  // namespace baton::transfer
