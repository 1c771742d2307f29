#include "commands/qmgr_instances.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "commands/workspace.hpp"
#include "common/text.hpp"
#include "properties/connection.hpp"

namespace baton::commands {
namespace {

using formats::qmgr_instance_state;

result<property_set> qmgr_values(const layout& where, const std::string& name) {
  property_read read = property_set::read(where.qmgr_properties(name), qmgr_properties());
  if (!read.ok() && !read.missing) return read.failure();
  return std::move(read.values);
}

}  // namespace

const instance_seen* qmgr_instances::local() const {
  const auto at =
      std::find_if(seen.list.begin(), seen.list.end(), [&](const instance_seen& one) { return one.says.name == own; });
  return at == seen.list.end() ? nullptr : &*at;
}

std::optional<qmgr_instance_state> qmgr_instances::state_of(pid_t process) const {
  const instance_seen* mine = local();
  if (mine == nullptr || !mine->running || mine->says.pid != process) return std::nullopt;
  return mine->says.state;
}

std::size_t qmgr_instances::standbys() const {
  return static_cast<std::size_t>(std::count_if(seen.list.begin(), seen.list.end(), [](const instance_seen& one) {
    return one.running && one.says.state == qmgr_instance_state::standby;
  }));
}

result<std::optional<qmgr_instances>> instances_of_qmgr(const layout& where, const std::string& name) {
  const auto values = qmgr_values(where, name);
  if (!values) return values.error();
  if (values->text("dataPath").empty()) return std::optional<qmgr_instances>();
  instance_folder folder(values->path("dataPath"));
  instances_seen seen = folder.read();
  std::string own = !values->text("instanceName").empty() ? values->text("instanceName") : host_name();
  return std::optional<qmgr_instances>({std::move(own), std::move(folder), std::move(seen)});
}

std::string in_words(const instance_seen* instance) {
  if (instance == nullptr) return "none";
  const auto& says = instance->says;
  return fmt::format("{} (process {} on {}, {} port {})", says.name, says.pid, says.host, says.address, says.port);
}

result<amqp::endpoint> qmgr_address(const layout& where, const std::string& name,
                                    const std::optional<qmgr_instances>& instances) {
  const auto values = qmgr_values(where, name);
  if (!values) return values.error();
  const amqp::tls_files tls = {values->path("tlsCertificate"), values->path("tlsKey"), values->path("tlsTrust")};
  amqp::endpoint found;
  if (!instances) {
    const auto local = local_qmgr_connection(name, where);
    if (!local) return local.error();
    found = local->peer;
  } else {
    const instance_seen* active = instances->active();
    if (active == nullptr || active->says.port == 0) {
      return error{errc::unreachable, fmt::format("no instance of the queue manager {} is active: start one with "
                                                  "fteStartQMgr -x {}",
                                                  name, name)};
    }
    const bool any = active->says.address == "0.0.0.0" || active->says.address == "::";
    found.host = any ? active->says.host : active->says.address;
    found.port = static_cast<std::uint16_t>(active->says.port);
  }
  found.tls = tls;
  return found;
}

}  // namespace baton::commands
