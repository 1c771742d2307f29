// baton-coordination: the coordination service as a process of its own, for queue managers other than the embedded one.
#include <signal.h>

#include <iostream>
#include <memory>
#include <vector>

#include "common/log.hpp"
#include "common/signals.hpp"
#include "coordination/service.hpp"
#include "properties/connection.hpp"
#include "properties/layout.hpp"
#include "properties/pid_file.hpp"
#include "properties/property_set.hpp"

namespace {

using namespace baton;
constexpr logger log_to{"Coordination"};

int fail(const std::string& text) {
  log_to(messages::BFGCO0005E, text);
  return 1;
}

int run(int count, char** words) {
  std::string asked;
  bool foreground = false;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "-p" && i + 1 < count)
      asked = words[++i];
    else if (word == "-F")
      foreground = true;
    else
      return fail("usage: baton-coordination [-p configurationOptions] [-F]; \"" + word + "\" is not understood");
  }
  const auto where = layout::from_environment();
  if (!where) return fail(where.error().text);
  const auto name = coordination_name(*where, asked);
  if (!name) return fail(name.error().text);
  const auto read = property_set::read(where->coordination_properties(*name), coordination_properties());
  if (!read.ok()) return fail(read.failure().text);
  const auto held = pid_file::acquire(where->coordination_pid(*name));
  if (!held) return fail(held.error().text);
  log_options log;
  log.directory = where->coordination_logs(*name);
  log.to_stdout = foreground;
  if (const auto opened = open_log(log); !opened) return fail(opened.error().text);
  log_environment("Coordination", count, words);

  signal_watch::block();
  event_loop loop;
  coordination::service_options options;
  options.database = (where->coordination_store(*name)).string();
  options.history_days = static_cast<int>(read.values.integer("historyDays"));
  const auto all = coordination_qmgr_connection(read.values, *where);
  if (!all && all.error().code == errc::bad_property) return fail(all.error().text);
  const auto one = [&](std::size_t place) -> coordination::service::locator {
    return [&, place]() -> result<amqp::connection_options> {
      const auto found = coordination_qmgr_connection(read.values, *where);
      if (!found) return found.error();
      amqp::connection_options connect;
      connect.peer = found->all().at(place);
      connect.name = "coordination";
      connect.connect_timeout_ms = static_cast<std::uint32_t>(found->connect_timeout_ms);
      return connect;
    };
  };
  coordination::service service(loop, options, one(0));
  // Agents publish to the first that they reach, and that need not be the same for all.
  std::vector<std::unique_ptr<coordination::service>> further;
  for (std::size_t place = 1; all && place <= all->more.size(); ++place) {
    further.push_back(std::make_unique<coordination::service>(service, one(place)));
  }
  const signal_watch signals(loop, [&](int got) {
    if (got == SIGHUP) return;
    for (const auto& other : further) other->stop();
    service.stop();
  });
  loop.post([&] {
    service.start();
    for (const auto& other : further) other->start();
  });
  loop.run();
  log_to(messages::BFGCO0006I);
  return 0;
}

}  // namespace

int main(int count, char** words) {
  try {
    return run(count, words);
  } catch (const std::exception& failure) {
    return fail(failure.what());
  }
}
