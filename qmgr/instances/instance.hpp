// The process of one instance: waits as a standby, serves as the active one, and both again after it handed over.
// Loop thread only.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/loop.hpp"
#include "qmgr/instances/keeper.hpp"
#include "qmgr/queue_manager.hpp"

namespace baton::instances {

// Exit code of one that is not the owner any more: a service manager may start it again, as a standby.
constexpr int exit_lost = 75;

struct instance_options {
  qmgr::options manager;
  keeper_options keeper;
  std::filesystem::path address_file;  // "host port", while it is the active one
  // What runs beside the queue manager while it serves, and is ended with it. May be empty.
  std::function<std::shared_ptr<void>(std::uint16_t port)> companion;
};

// Names with commas between them, as preferredInstances has them.
std::vector<std::string> names_of(std::string_view list);

class instance : private role {
 public:
  instance(event_loop& loop, instance_options options);
  ~instance() override;
  status start();  // before loop.run()
  void stop(bool all, bool immediate);
  int exit_code() const { return exit_code_; }
  const std::string& failure() const { return failure_; }  // why it ended, for people; empty: as it was asked to

 private:
  result<place> serve(std::unique_ptr<qmgr::store> claimed) override;
  void close(bool immediate) override;
  void discard() override;
  void cut() override;
  void ended(reason why, const std::string& text) override;
  void remove_address();

  event_loop& loop_;
  instance_options options_;
  keeper keeper_;
  std::unique_ptr<qmgr::queue_manager> manager_;
  std::shared_ptr<void> companion_;
  int exit_code_ = 0;
  std::string failure_;
};

}  // namespace baton::instances
