// The one thread of a process that owns every AMQP object of its client connections. Included by adapters only.
#pragma once

#include <memory>
#include <proton/container.hpp>
#include <thread>

namespace baton::amqp {

class proton_runtime {
 public:
  // Started with the first connection; ends with the process. Any thread.
  static proton_runtime& instance();

  proton::container& container() { return container_; }
  // Drops an object on the AMQP thread, after the callback that it may be in.
  void retire(std::shared_ptr<void> object);

  proton_runtime(const proton_runtime&) = delete;
  proton_runtime& operator=(const proton_runtime&) = delete;

 private:
  proton_runtime();
  ~proton_runtime();

  proton::container container_;
  std::thread thread_;
};

}  // namespace baton::amqp
