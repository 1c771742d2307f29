#include "common/amqp/proton_runtime.hpp"

#include <proton/duration.hpp>
#include <proton/work_queue.hpp>

namespace baton::amqp {

proton_runtime& proton_runtime::instance() {
  static proton_runtime runtime;
  return runtime;
}

proton_runtime::proton_runtime() {
  container_.auto_stop(false);
  thread_ = std::thread([this] { container_.run(); });
}

proton_runtime::~proton_runtime() {
  container_.stop();
  thread_.join();
}

void proton_runtime::retire(std::shared_ptr<void> object) {
  container_.schedule(proton::duration(1), proton::work([object = std::move(object)]() mutable { object.reset(); }));
}

}  // namespace baton::amqp
