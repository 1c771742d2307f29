// baton-qmgr NAME [-p port] [-F] [-x]: the embedded queue manager, in the foreground. fteStartQMgr puts it in the
// background.
#include <fmt/format.h>
#include <signal.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "common/log.hpp"
#include "common/loop.hpp"
#include "common/resources.hpp"
#include "common/signals.hpp"
#include "common/text.hpp"
#include "coordination/service.hpp"
#include "properties/atomic_file.hpp"
#include "properties/layout.hpp"
#include "properties/pid_file.hpp"
#include "properties/property_set.hpp"
#include "qmgr/instances/instance.hpp"
#include "qmgr/queue_manager.hpp"

namespace {

using namespace baton;
constexpr logger log_to{"QueueManager"};

struct words {
  std::string name;
  std::optional<std::uint16_t> port;
  bool to_stdout = false;
  bool permit_standby = false;
};

result<words> read_words(int count, char** values) {
  words read;
  for (int i = 1; i < count; ++i) {
    const std::string_view word = values[i];
    if (word == "-F") {
      read.to_stdout = true;
    } else if (word == "-x") {
      read.permit_standby = true;
    } else if (word == "-p" && i + 1 < count) {
      const char* text = values[++i];
      std::uint16_t port = 0;
      const auto [end, problem] = std::from_chars(text, text + std::strlen(text), port);
      if (problem != std::errc{} || *end != '\0')
        return error{errc::bad_usage, fmt::format("-p {}: not a port number", text)};
      read.port = port;
    } else if (!word.starts_with('-') && read.name.empty()) {
      read.name = word;
    } else {
      return error{errc::bad_usage, fmt::format("\"{}\" is not understood", word)};
    }
  }
  if (read.name.empty()) return error{errc::bad_usage, "usage: baton-qmgr NAME [-p port] [-F] [-x]"};
  return read;
}

qmgr::options options_of(const property_set& values, const layout& where, const words& given) {
  qmgr::options made;
  made.name = given.name;
  made.store_file = where.qmgr_store(given.name);
  made.bind_address = values.text("bindAddress");
  made.port = given.port.value_or(static_cast<std::uint16_t>(values.integer("port")));
  made.idle_timeout_ms = static_cast<std::uint32_t>(values.milliseconds("idleTimeout"));
  made.message_bytes_max = static_cast<std::uint64_t>(values.integer("maxMessageSize"));
  made.connections_max = static_cast<std::uint32_t>(values.integer("maxConnections"));
  made.memory_limit = static_cast<std::uint64_t>(values.integer("memoryLimit"));
  made.tls_certificate = values.path("tlsCertificate").string();
  made.tls_key = values.path("tlsKey").string();
  made.tls_trust = values.path("tlsTrust").string();
  return made;
}

status open_log_of(const property_set& values, const layout& where, const words& given, int count, char** words_given) {
  log_options log;
  log.directory = where.qmgr_logs(given.name);
  log.files_max = static_cast<std::size_t>(values.integer("outputLogFiles"));
  log.file_bytes_max = static_cast<std::size_t>(values.integer("outputLogSize"));
  log.to_stdout = given.to_stdout;
  if (const status opened = open_log(log); !opened) return opened;
  log_environment("QueueManager", count, words_given);
  return done();
}

int fail(const std::string& text) {
  fmt::print(stderr, "{}\n", text);
  return 1;
}

// The coordination service of the topology that this queue manager is the centre of, in a thread of its own.
coordination::background_service start_coordination(const qmgr::options& wanted, std::uint16_t port,
                                                    const std::filesystem::path& database, bool shared,
                                                    int history_days) {
  amqp::connection_options connect;
  connect.name = "coordination";
  connect.peer.host = wanted.bind_address;
  connect.peer.port = port;
  connect.peer.tls = {wanted.tls_certificate, wanted.tls_key, wanted.tls_trust};
  coordination::service_options options;
  options.database = database.string();
  options.shared = shared;
  options.history_days = history_days;
  return coordination::background_service(options, [connect] { return connect; });
}

// What the topology's own properties say, where this host has them; otherwise their defaults.
int history_days_of(const layout& where, const std::string& name) {
  const auto read = property_set::read(where.coordination_properties(name), coordination_properties());
  return static_cast<int>((read.ok() ? read.values : property_set(coordination_properties())).integer("historyDays"));
}

int serve(const qmgr::options& wanted, const layout& where, bool with_coordination) {
  const std::filesystem::path address_file = where.qmgr_address(wanted.name);
  const std::string host = wanted.bind_address;
  signal_watch::block();
  event_loop loop;
  qmgr::queue_manager manager(loop, wanted);
  if (const status started = manager.start(); !started) {
    log_to(messages::BFGQM0007E, address_file.parent_path().filename().string(), started.error().text);
    return fail(started.error().text);
  }
  const status told = write_file_atomically(address_file, fmt::format("{} {}\n", host, manager.port()));
  if (!told) return fail(told.error().text);
  {
    const signal_watch signals(loop, [&](int got) {
      if (got != SIGHUP) manager.stop(got == SIGTERM);  // SIGTERM: at once. SIGINT: as clients end.
    });
    std::optional<coordination::background_service> service;
    if (with_coordination) {
      service.emplace(start_coordination(wanted, manager.port(), where.coordination_store(wanted.name), false,
                                         history_days_of(where, wanted.name)));
    }
    loop.run();
  }
  std::error_code ignored;
  std::filesystem::remove(address_file, ignored);
  return 0;
}

// One of several instances: docs of it are in instances/README.md.
int serve_shared(const qmgr::options& wanted, const property_set& values, const layout& where, bool permit_standby) {
  instances::instance_options options;
  options.manager = wanted;
  options.keeper.qmgr = wanted.name;
  options.keeper.data_path = values.path("dataPath");
  options.address_file = where.qmgr_address(wanted.name);
  options.keeper.prefers.own = !values.text("instanceName").empty() ? values.text("instanceName") : host_name();
  options.keeper.prefers.preferred = instances::names_of(values.text("preferredInstances"));
  options.keeper.prefers.fail_back = values.boolean("failBack");
  options.keeper.prefers.permits_standby = permit_standby;
  options.keeper.times.fail_back_delay_ms = values.milliseconds("failBackDelay");
  options.keeper.times.renew_ms = values.milliseconds("instanceRenewInterval");
  options.keeper.times.lease_ms = values.milliseconds("instanceLease");
  if (values.boolean("coordination")) {
    const int history_days = history_days_of(where, wanted.name);
    const instance_folder folder(options.keeper.data_path);
    options.companion = [wanted, folder, history_days](std::uint16_t port) -> std::shared_ptr<void> {
      return std::make_shared<coordination::background_service>(
          start_coordination(wanted, port, folder.coordination_store(), true, history_days));
    };
  }
  signal_watch::block();
  event_loop loop;
  instances::instance one(loop, std::move(options));
  if (const status started = one.start(); !started) {
    log_to(messages::BFGQM0007E, wanted.name, started.error().text);
    return fail(started.error().text);
  }
  const signal_watch signals(loop, [&](int got, int word) {
    if (got != SIGHUP) one.stop(word == end_all_word, got == SIGTERM);
  });
  loop.run();
  if (!one.failure().empty()) fail(one.failure());
  return one.exit_code();
}

int run(int count, char** values) {
  const auto given = read_words(count, values);
  if (!given) return fail(given.error().text);
  const auto where = layout::from_environment();
  if (!where) return fail(where.error().text);
  const auto held = pid_file::acquire(where->qmgr_pid(given->name));
  if (!held) {
    const auto holder = pid_file_holder(where->qmgr_pid(given->name));
    return fail(holder ? render(messages::BFGQM0006E, given->name, *holder) : held.error().text);
  }
  property_read properties = property_set::read(where->qmgr_properties(given->name), qmgr_properties());
  if (!properties.ok() && !properties.missing) return fail(properties.failure().text);
  const property_set& values_read = properties.values;
  if (const status opened = open_log_of(values_read, *where, *given, count, values); !opened) {
    return fail(opened.error().text);
  }
  const qmgr::options wanted = options_of(values_read, *where, *given);
  if (!values_read.text("dataPath").empty()) return serve_shared(wanted, values_read, *where, given->permit_standby);
  if (given->permit_standby) return fail(render(messages::BFGQM0042E, given->name));
  return serve(wanted, *where, values_read.boolean("coordination"));
}

}  // namespace

int main(int count, char** values) {
  keep_freed_memory();
  allow_many_files();
  try {
    return run(count, values);
  } catch (const std::exception& failure) {
    return fail(fmt::format("baton-qmgr ended: {}", failure.what()));
  }
}
