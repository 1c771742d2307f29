#include "qmgr/instances/instance.hpp"

#include <fmt/format.h>

#include <system_error>
#include <utility>

#include "common/text.hpp"
#include "properties/atomic_file.hpp"

namespace baton::instances {

std::vector<std::string> names_of(std::string_view list) {
  std::vector<std::string> names;
  for (const std::string& one : split(list, ',')) {
    if (std::string name = trim(one); !name.empty()) names.push_back(std::move(name));
  }
  return names;
}

instance::instance(event_loop& loop, instance_options options)
    : loop_(loop), options_(std::move(options)), keeper_(loop, options_.keeper, *this) {}

instance::~instance() {
  remove_address();
}

status instance::start() {
  if (const status fine = check(options_.manager); !fine) return fine;
  if (!options_.keeper.data_path.is_absolute()) {
    return error{errc::bad_property, fmt::format("dataPath {}: must begin with /", options_.keeper.data_path.native())};
  }
  for (const std::string& name : options_.keeper.prefers.preferred) {
    if (const status fine = check_instance_name(name); !fine) {
      return error{errc::bad_property, "preferredInstances: " + fine.error().text};
    }
  }
  if (options_.keeper.times.lease_ms < 3 * options_.keeper.times.renew_ms) {
    return error{errc::bad_property, "instanceLease must be at least three times instanceRenewInterval"};
  }
  remove_address();
  return keeper_.start();
}

void instance::stop(bool all, bool immediate) {
  keeper_.stop(all, immediate);
}

result<role::place> instance::serve(std::unique_ptr<qmgr::store> claimed) {
  qmgr::shared_use shared;
  shared.claimed = std::move(claimed);
  shared.may_leave = [this] { return keeper_.may_leave(); };
  shared.stop_requested = [this](bool immediate) { keeper_.stop(true, immediate); };
  // A task of its own: the queue manager must not go while it calls.
  shared.ended = [this] { loop_.post([this] { keeper_.closed(); }); };
  manager_ = std::make_unique<qmgr::queue_manager>(loop_, options_.manager, std::move(shared));
  if (const status started = manager_->start(); !started) return started.error();
  const place at{options_.manager.bind_address, manager_->port()};
  const status told = write_file_atomically(options_.address_file, fmt::format("{} {}\n", at.address, at.port));
  if (!told) return told.error();
  if (options_.companion) companion_ = options_.companion(at.port);
  return at;
}

// The queue manager may be among the callers, in the middle of a turn.
void instance::close(bool immediate) {
  remove_address();
  loop_.post([this, immediate] {
    remove_address();  // it may have been about to serve
    manager_ == nullptr ? keeper_.closed() : manager_->stop(immediate);
  });
}

void instance::discard() {
  companion_.reset();
  manager_.reset();
}

void instance::cut() {
  if (manager_ != nullptr) manager_->cut();
}

// The queue manager may be among the callers: the rest is for the loop, or for whoever has not begun to run it.
void instance::ended(reason why, const std::string& text) {
  failure_ = text;
  if (why == reason::lost) exit_code_ = exit_lost;
  if (why == reason::failed || why == reason::no_standby_permitted) exit_code_ = 1;
  loop_.stop();
}

void instance::remove_address() {
  std::error_code ignored;
  std::filesystem::remove(options_.address_file, ignored);
}

}  // namespace baton::instances
