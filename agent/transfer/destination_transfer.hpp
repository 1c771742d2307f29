// One transfer at its destination agent: carries out what destination_machine decides. Loop thread; writing is done on
// workers.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/transfer/destination_machine.hpp"
#include "agent/transfer/destination_path.hpp"
#include "agent/transfer/destination_writer.hpp"
#include "agent/transfer/frame_limits.hpp"
#include "agent/transfer/recent_results.hpp"
#include "agent/transfer/services.hpp"
#include "common/formats/state.hpp"
#include "common/formats/transfer.hpp"

namespace baton::transfer {

// Tells a source that this activation of its destination does not know of its newest question. An acknowledgement of
// nothing.
void send_notice(services& agent, const std::string& source_agent, const std::string& transfer_id,
                 std::uint64_t attempt);

class destination_transfer : public std::enable_shared_from_this<destination_transfer> {
 public:
  using ended = std::function<void(const std::string& transfer_id)>;
  destination_transfer(services& agent, channel::direct_channels& channels, const formats::negotiate& first,
                       ended on_end);
  // From the record of an earlier activation; adopt() follows.
  destination_transfer(services& agent, channel::direct_channels& channels, const formats::destination_record& left,
                       ended on_end);
  ~destination_transfer();

  void adopt();
  // Asks for a stop at the next checkpoint; true when nothing is written any more, or nothing moves.
  bool at_checkpoint();
  // The record of an earlier activation came too late to go on from it: the next one replaces it.
  void supersede(const formats::destination_record& left);

  void on_negotiate(const formats::negotiate& ask);
  void on_frame(const formats::frame_header& header, held_bytes frame);
  void on_finish(const formats::finish& end);

  destination_state state() const { return machine_.state(); }
  std::uint64_t attempt() const { return machine_.attempt(); }
  const std::string& source_agent() const { return terms_.source_agent; }

 private:
  void feed(const destination_input& event);
  void perform(const destination_action::adopt_part&);
  void perform(const destination_action::rewind&);
  void perform(const destination_action::answer& a);
  void perform(const destination_action::queue_frame&);
  void perform(const destination_action::write_frame& a);
  void perform(const destination_action::acknowledge& a);
  void perform(const destination_action::halt&);
  void perform(const destination_action::close&);
  void perform(const destination_action::wake_at& a);
  frame_limits limits(bool direct) const;
  void frame_written(std::uint64_t attempt, std::uint64_t sequence, std::shared_ptr<written_frame> frame);
  void save_record();
  void send(formats::ack a);
  void send_ack(std::uint64_t frames, std::vector<formats::item_result> results, bool complete);

  services& agent_;
  formats::negotiate terms_;
  formats::destination_record record_;
  const ended on_end_;
  std::shared_ptr<std::atomic<bool>> over_ = std::make_shared<std::atomic<bool>>(false);  // stops workers
  destination_machine machine_;
  destination_path path_;
  std::shared_ptr<destination_writer> writer_;  // one worker at a time
  held_bytes arriving_;                         // the frame of the event being handled
  std::deque<std::pair<std::uint64_t, held_bytes>> frames_;
  std::vector<formats::item_result> lacking_;  // at the source, when the attempt began
  std::shared_ptr<written_frame> written_;     // of the event being handled
  formats::position durable_;                  // as of the last frame that was written; a worker may be ahead
  recent_results results_;
  std::string how_ = "the source fell silent";
  event_loop::timer_id wake_ = 0;
  std::int64_t saved_at_ms_ = 0;
  bool recorded_ = false;  // there is a record on STATE
  bool no_room_told_ = false;
  bool stop_wanted_ = false, stopped_ = false;
};

}  // namespace baton::transfer
