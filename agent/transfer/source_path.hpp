// The way that the frames of one transfer take: a direct channel where the destination offers one that can be reached,
// its DATA queue otherwise. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/channel/direct_channels.hpp"
#include "agent/transfer/services.hpp"
#include "common/formats/requests.hpp"

namespace baton::transfer {

class source_path : public std::enable_shared_from_this<source_path> {
 public:
  struct handlers {
    std::function<void()> opened;  // frames can be sent
    std::function<void()> lost;    // with what was under way
    std::function<void()> better;  // open() would find a direct channel now
  };
  source_path(services& agent, channel::direct_channels& channels,
              std::shared_ptr<const formats::transfer_request> request, handlers to);
  ~source_path() { close(); }

  // Whether a transfer of so much is worth a connection of its own.
  static bool worth_it(std::uint64_t items, std::uint64_t bytes);
  // What the destination offers for this attempt. What was open is closed.
  void offered(const formats::data_offer& offer);
  // opened() follows, not from inside this call.
  void open();
  void send(held_bytes frame);
  // Nothing is called any more.
  void close();
  bool direct() const { return channel_ != nullptr; }
  const char* name() const { return direct() ? "direct" : "queue"; }

 private:
  void open_now();
  void connect(std::function<void(result<std::unique_ptr<channel::direct_channel>>)> then);
  void receive_on(channel::direct_channel& made);
  void broke(const channel::direct_channel& one, const std::string& why);
  void use(std::unique_ptr<channel::direct_channel> made);
  void try_again_later();
  void say_queue(const std::string& why);

  services& agent_;
  channel::direct_channels& channels_;
  const std::shared_ptr<const formats::transfer_request> request_;
  const handlers to_;
  formats::data_offer offer_;
  std::uint64_t offers_ = 0;  // so that what belongs to an older one is known by its number
  std::unique_ptr<channel::direct_channel> channel_, better_;
  event_loop::timer_id timer_ = 0;
  std::string told_;  // why there is no direct channel, as it was said last
};

}  // namespace baton::transfer
