// The other end of source_path: what a destination offers to the source of one transfer, and the direct channel that
// came of it. Loop thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "agent/channel/direct_channels.hpp"

namespace baton::transfer {

class destination_path {
 public:
  explicit destination_path(channel::direct_channels& channels) : channels_(channels) {}
  ~destination_path() { close(); }
  destination_path(const destination_path&) = delete;
  destination_path& operator=(const destination_path&) = delete;

  // For a new attempt. The channel of the one before is closed.
  formats::data_offer offer();
  bool direct() const { return channel_ != nullptr; }
  // False when there is no channel.
  bool send_ack(std::string_view json);
  void close();

 private:
  channel::direct_channels& channels_;
  std::string secret_;
  std::unique_ptr<channel::direct_channel> channel_;
};

}  // namespace baton::transfer
