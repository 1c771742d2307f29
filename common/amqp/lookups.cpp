#include "common/amqp/lookups.hpp"

#include <utility>

#include "common/amqp/dialect.hpp"
#include "common/amqp/refusals.hpp"
#include "common/loop.hpp"

namespace baton::amqp {
namespace {
constexpr std::int64_t answer_ms_max = 2000, silence_ms = 10000;
}

lookups& lookups::instance() {
  static lookups only;
  return only;
}

lookups::lookups() {
  thread_ = std::thread([this] { run(); });
}

lookups::~lookups() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  ready_.notify_one();
  thread_.join();
}

void lookups::add(std::function<void()> question) {
  {
    const std::lock_guard lock(mutex_);
    questions_.push_back(std::move(question));
  }
  ready_.notify_one();
}

void lookups::ask(const connection_options& where, const std::string& queue, std::function<void(bool)> then) {
  add([this, where, queue, then = std::move(then)] { then(missing(where, queue)); });
}

void lookups::ask_certificate(const endpoint& peer, std::function<void(const std::string&)> then) {
  add([peer, then = std::move(then)] { then(certificate_fault(peer, answer_ms_max)); });
}

void lookups::run() {
  for (;;) {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [this] { return stopped_ || !questions_.empty(); });
    if (stopped_) return;
    const auto next = std::move(questions_.front());
    questions_.pop_front();
    lock.unlock();
    next();
  }
}

bool lookups::missing(const connection_options& where, const std::string& queue) {
  std::int64_t& silent_until = silent_until_ms_[where.peer.management_url];
  if (boot_time_ms() < silent_until) return false;
  const auto there = dialect_of(where.peer.kind).exists(where, queue, answer_ms_max);
  if (!there) silent_until = boot_time_ms() + silence_ms;
  return there.ok() && !*there;
}

}  // namespace baton::amqp
