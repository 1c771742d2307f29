#include "agent/transfer/destination_path.hpp"

#include <utility>

namespace baton::transfer {

formats::data_offer destination_path::offer() {
  close();
  const auto made = channels_.offer([this](std::unique_ptr<channel::direct_channel> arrived) {
    channel_ = std::move(arrived);
    channel_->begin({[this](channel::kind what, held_bytes body) { channels_.deliver(what, std::move(body)); },
                     [this](const std::string&) { channel_.reset(); }});
  });
  secret_ = made.secret;
  return made;
}

bool destination_path::send_ack(std::string_view json) {
  if (channel_) channel_->send(channel::kind::ack, byte_buffer(json));
  return channel_ != nullptr;
}

void destination_path::close() {
  channels_.withdraw(secret_);
  secret_.clear();
  channel_.reset();
}

}  // namespace baton::transfer
