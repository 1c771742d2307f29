// One transfer at its source agent: carries out what source_machine decides. Loop thread; reading is done on workers.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "agent/transfer/frame_limits.hpp"
#include "agent/transfer/item_ledger.hpp"
#include "agent/transfer/record_keeper.hpp"
#include "agent/transfer/services.hpp"
#include "agent/transfer/source_machine.hpp"
#include "agent/transfer/source_messages.hpp"
#include "agent/transfer/source_path.hpp"
#include "agent/transfer/source_plan.hpp"
#include "agent/transfer/source_programs.hpp"
#include "agent/transfer/source_queue.hpp"
#include "agent/transfer/source_reader.hpp"
#include "agent/transfer/source_report.hpp"
#include "agent/transfer/token_bucket.hpp"
#include "common/formats/transfer.hpp"

namespace baton::transfer {

class source_transfer : public std::enable_shared_from_this<source_transfer> {
 public:
  using ended = std::function<void(const std::string& transfer_id)>;
  // What all transfers of an activation share; `bandwidth`: what they may use together.
  struct shared {
    plan_collector& plans;
    channel::direct_channels& channels;
    token_bucket& bandwidth;
    program_runner& programs;
    queue::subscribers& queues;
  };

  // `record` is new, or what an earlier activation left. `plans` has what is known of its plan. `on_end` is called
  // once, last.
  source_transfer(services& agent, const shared& of_agent, formats::transfer_request request,
                  formats::source_record record, ended on_end);
  ~source_transfer();

  void start();
  void on_negotiated(const formats::negotiated& answer);
  // An answer of an activation of the destination that is not its newest, which this is.
  void on_stale_answer(std::uint64_t epoch, const std::string& run);
  void on_ack(const formats::ack& a);
  void cancel();
  void unreachable(const std::string& why);
  // Asks for a stop where the destination has made a checkpoint; true when nothing is read any more, or nothing moves.
  bool at_checkpoint();

  source_state state() const { return machine_.state(); }
  const formats::transfer_request& request() const { return *request_; }

 private:
  void feed(const source_input& event);
  void on_halt(const formats::ack& a);
  void perform(const source_action::make_plan&);
  void perform(const source_action::negotiate& a);
  void perform(const source_action::open_reader& a);
  void perform(const source_action::open_path&);
  void perform(const source_action::read_frame&);
  void perform(const source_action::send_frame&);
  void perform(const source_action::recover&);
  void perform(const source_action::wake_at& a);
  void perform(const source_action::finish& a);

  void reader_opened(const reader_start& start, opened_reader& opened);
  source_plan::handlers plan_handlers();
  source_path::handlers path_handlers();
  void plan_listed();
  void plan_ready();
  void no_plan(int code, std::string text);
  void before_data();
  std::unique_ptr<source_queue> make_source_queue(queue::subscribers& queues);
  void look_up_messages();
  void no_messages(const std::string& why);
  void messages_taken();
  void go_on_reading();
  void frame_done(std::uint64_t attempt, std::shared_ptr<read_frame> frame);
  void finish_when_quiet();
  void close_books();
  void tell_end();
  void tell_destination(std::vector<std::string> directories);
  void tell_left_behind();
  void forget();
  void end_at_first_failure();
  void tell_progress();
  void peer_changed(std::uint64_t epoch, const std::string& run);
  void query_when_silent();
  formats::progress how_far() const;
  std::int64_t rate_wait_ms();
  frame_limits limits() const;

  services& agent_;
  const std::shared_ptr<const formats::transfer_request> request_;  // readers on workers keep it alive
  formats::source_record record_;
  const ended on_end_;
  source_machine machine_;
  event_log events_;
  item_ledger ledger_;
  record_keeper books_;
  const std::shared_ptr<source_plan> plan_;
  const std::shared_ptr<source_path> path_;
  const std::shared_ptr<source_programs> programs_;
  const std::unique_ptr<source_queue> messages_;  // if a queue is the source
  token_bucket& of_agent_;                        // what all transfers of the agent may use together
  token_bucket of_transfer_;
  source_report report_;
  std::uint64_t asked_epoch_ = 0;  // of the attempt
  seen_peer seen_;                 // when an older activation of the destination has answered
  formats::negotiated terms_;
  formats::position durable_;  // at the destination, as it said last
  bool stop_wanted_ = false, stopped_ = false;
  std::shared_ptr<source_reader> reader_;
  bool waits_ = false;                 // the reader, until the messages are taken off their queue
  bool opening_ = false;               // the reader, on a worker
  bool path_wanted_ = false;           // by the machine, in this attempt
  std::shared_ptr<read_frame> ready_;  // the frame of the frame_read event being handled
  event_loop::timer_id wake_ = 0, progress_timer_ = 0, read_timer_ = 0;
  const bool adopted_;           // an earlier activation may have moved data
  const int recoveries_before_;  // in earlier activations
  std::int64_t started_at_ms_;   // boot time
  std::int64_t heard_at_ms_ = 0;
  bool held_ = false;                    // a frame is to be read when the books have room
  std::deque<std::uint64_t> under_way_;  // data bytes of each frame sent and not acknowledged
  std::uint64_t frames_acked_ = 0;       // of this attempt
  std::uint64_t moved_bytes_ = 0;        // acknowledged, with what of the current item was there before
  std::string current_item_;
  std::string failure_text_;   // why the machine was told of a failure
  bool peer_changed_ = false;  // while the machine is told so
  std::optional<source_action::finish> finish_;
  bool closing_ = false;  // the last steps have begun
};

}  // namespace baton::transfer
