// Carries out what comes on the agent's COMMAND queue: transfer requests, cancel, ping, stop, and the destination's
// side of negotiations. A message that cannot be read is answered where it can be, logged and removed; it never stops
// the agent. Loop thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "agent/links.hpp"
#include "agent/state_store.hpp"
#include "agent/transfer/services.hpp"
#include "agent/transfer/transfers.hpp"
#include "common/formats/instances.hpp"

namespace baton::agent {

class command_handler {
 public:
  struct handlers {
    std::function<void(amqp::delivery_id)> settle;     // takes the message off the queue
    std::function<void(amqp::delivery_id)> make_room;  // leaves it there; the next ones come all the same
    std::function<void(bool immediate)> stop;
    // Sends an answer, and goes on when it has arrived or a moment has passed.
    std::function<void(const std::string& address, amqp::message answer, std::function<void()> then)> answer_and_then;
    std::function<void(const formats::instance_status&)> standby;  // another instance has told of itself
    std::function<std::map<std::string, std::string>()> about;     // what a ping is told
    std::function<bool(const std::string& id)> ended;              // such a transfer ended here not long ago
    std::function<void(const formats::source_record&, std::function<void(bool stored)>)> save;
  };
  command_handler(transfer::services& agent, transfer::transfers& transfers, handlers to);

  void received(amqp::delivery_id delivery, amqp::message&& content);
  // A record of an earlier activation was found: a repeated request for that transfer is done with.
  void adopted(const std::string& transfer_id);
  // From now on requests stay on the queue, for the next start.
  void drain() { draining_ = true; }

 private:
  void request(amqp::delivery_id delivery, const amqp::message& content);
  void refuse(const amqp::message& content, const formats::transfer_request& request, int code, const std::string& text,
              const char* action);
  void cancel(const amqp::message& content);
  void ping(const amqp::message& content);
  void stop(const amqp::message& content);
  void standby(std::string body);
  void answer(const amqp::message& to, int code, const std::string& text,
              const std::map<std::string, std::string>& details = {}, std::function<void()> then = nullptr);
  void unreadable(const std::string& why);
  void keep(std::uint64_t arrival);
  void kept(std::uint64_t arrival, bool stored);
  void admit_kept();

  struct request_being_kept {
    amqp::delivery_id delivery = 0;
    formats::source_record record;
    formats::transfer_request request;
    bool kept = false;
    int refused = 0;  // times that the record was
  };
  std::map<std::uint64_t, request_being_kept>::iterator pending(const std::string& transfer_id);

  transfer::services& agent_;
  transfer::transfers& transfers_;
  const handlers to_;
  std::map<std::uint64_t, request_being_kept> pending_;  // by arrival: their records are on the way to stable storage
  bool draining_ = false;
  std::size_t left_ = 0;  // on the queue, for the next start
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace baton::agent
