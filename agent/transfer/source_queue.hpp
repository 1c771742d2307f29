// A transfer whose source is a queue: its messages become a file at the source, which is moved as every other one, and
// they are taken off the queue when the destination has all of it on stable storage, before the file gets its name
// there. So they are never in both places for somebody who reads, and always in one. Loop thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/queue/queue_source.hpp"
#include "agent/queue/subscribers.hpp"
#include "agent/transfer/plan.hpp"
#include "agent/transfer/services.hpp"
#include "common/formats/requests.hpp"
#include "common/formats/state.hpp"

namespace baton::transfer {

class source_queue {
 public:
  struct handlers {
    std::function<void(plan_item)> collected;        // the one item of the plan
    std::function<void(const std::string&)> failed;  // a rendered message
    std::function<void(services::stored)> save;      // makes the record durable
    std::function<void()> taken;                     // the item may end
  };
  // `plan`: its path.
  source_queue(services& agent, queue::subscribers& subscribers,
               std::shared_ptr<const formats::transfer_request> request, formats::source_record& record,
               std::string plan, handlers to);
  ~source_queue();

  void collect();
  // What an earlier activation collected; `then` when data may move.
  void recover(plan_item item, std::function<void()> then);
  // The destination has the whole file on stable storage.
  void arrived();
  // None of the messages can come again.
  bool taken() const { return taken_; }
  // Nothing more is sent: what is held goes back to the queue.
  void give_back();
  // The transfer has ended. The messages are on their queue again, or at the destination; where they are neither they
  // stay in the spool, and the log says so.
  void end(bool complete);

 private:
  std::optional<std::string> refusal() const;
  bool exclusive() const;
  void warn_when_shared() const;
  void make(std::function<void()> found);
  void collected(const queue::collected& made);
  void taking(std::function<void()> then);
  void failed(const std::string& why, bool overtaken);

  services& agent_;
  queue::subscribers& subscribers_;
  const std::shared_ptr<const formats::transfer_request> request_;
  formats::source_record& record_;
  const std::string file_;
  const handlers to_;
  std::shared_ptr<queue::queue_source> messages_;
  bool arrived_ = false, taken_ = false;
  std::shared_ptr<bool> over_ = std::make_shared<bool>(false);
};

}  // namespace baton::transfer
