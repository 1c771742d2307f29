#include "agent/transfer/source_path.hpp"

#include <algorithm>
#include <utility>

#include "common/formats/queues.hpp"
#include "common/formats/transfer.hpp"
#include "common/log.hpp"
#include "common/messages/message.hpp"
#include "common/text.hpp"

namespace baton::transfer {
namespace {
constexpr logger log{"Transfer"};
constexpr std::uint64_t worth_bytes = 1 << 20;
}  // namespace

source_path::source_path(services& agent, channel::direct_channels& channels,
                         std::shared_ptr<const formats::transfer_request> request, handlers to)
    : agent_(agent), channels_(channels), request_(std::move(request)), to_(std::move(to)) {}

bool source_path::worth_it(std::uint64_t items, std::uint64_t bytes) {
  return items > formats::items_per_frame_max || bytes > worth_bytes;
}

void source_path::offered(const formats::data_offer& offer) {
  close();
  offer_ = offer;
}

void source_path::close() {
  ++offers_;
  agent_.loop().cancel(timer_);
  channel_.reset();
  better_.reset();
}

void source_path::open() {
  agent_.loop().post([weak = weak_from_this(), asked = offers_] {
    const auto self = weak.lock();
    if (self && self->offers_ == asked) self->open_now();
  });
}

void source_path::open_now() {
  if (better_) {
    use(std::move(better_));
    return to_.opened();
  }
  const auto usable = channels_.usable(offer_);
  if (!usable) {
    if (offer_.port != 0) say_queue(usable.error().text);
    return to_.opened();
  }
  if (channels_.again_in_ms(request_->destination_agent) > 0) {
    try_again_later();
    return to_.opened();
  }
  connect([this](result<std::unique_ptr<channel::direct_channel>> made) {
    if (made) {
      receive_on(**made);
      use(std::move(*made));
    } else {
      say_queue(made.error().text);
      try_again_later();
    }
    to_.opened();
  });
}

void source_path::connect(std::function<void(result<std::unique_ptr<channel::direct_channel>>)> then) {
  channels_.connect(
      request_->destination_agent, offer_,
      [weak = weak_from_this(), asked = offers_, then](result<std::unique_ptr<channel::direct_channel>> made) {
        const auto self = weak.lock();
        if (self && self->offers_ == asked) then(std::move(made));
      });
}

// Data goes on through the queue until there is a better way.
void source_path::try_again_later() {
  const std::int64_t wait = std::max<std::int64_t>(channels_.again_in_ms(request_->destination_agent), 100);
  agent_.loop().cancel(timer_);
  timer_ = agent_.loop().after(wait, [this] {
    if (channels_.again_in_ms(request_->destination_agent) > 0) return try_again_later();
    connect([this](result<std::unique_ptr<channel::direct_channel>> made) {
      if (!made) return try_again_later();
      better_ = std::move(*made);
      receive_on(*better_);
      to_.better();
    });
  });
}

// Acknowledgements come on a new channel from now on, whether frames are sent on it yet or not.
void source_path::receive_on(channel::direct_channel& made) {
  made.begin({[this](channel::kind what, held_bytes body) { channels_.deliver(what, std::move(body)); },
              [this, one = &made](const std::string& why) { broke(*one, why); }});
}

void source_path::broke(const channel::direct_channel& one, const std::string& why) {
  channels_.broke(request_->destination_agent);
  if (better_.get() == &one) {
    better_.reset();
    return try_again_later();
  }
  channel_.reset();
  say_queue(why);
  to_.lost();
}

void source_path::use(std::unique_ptr<channel::direct_channel> made) {
  channel_ = std::move(made);
  told_.clear();
  log(messages::BFGTR0033I, request_->id, request_->destination_agent, channel_->peer(),
      offer_.tls ? "TLS" : "clear text");
}

void source_path::say_queue(const std::string& why) {
  if (std::exchange(told_, why) == why) return;
  log(messages::BFGTR0034W, request_->id, request_->destination_agent, why,
      formats::data_queue(request_->destination_agent));
}

void source_path::send(held_bytes frame) {
  if (channel_) return channel_->send(channel::kind::frame, std::move(frame));
  amqp::message m;
  m.durable = false;
  m.subject = formats::subject::data;
  m.bulk = std::move(frame);
  agent_.send_data(formats::data_queue(request_->destination_agent), std::move(m));
}

}  // namespace baton::transfer
