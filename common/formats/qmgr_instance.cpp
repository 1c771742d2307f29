#include "common/formats/qmgr_instance.hpp"

#include "common/formats/json_archive.hpp"

namespace baton::formats {

template <>
struct words<qmgr_instance_state> {
  static constexpr const char* list[] = {"standby", "active", "ended"};
};

template <class Archive>
void describe(Archive& a, qmgr_instance& i) {
  a.identity("name", i.name);
  a("qmgr", i.qmgr);
  a("host", i.host);
  a("pid", i.pid);
  a("boot", i.boot);
  a("processStart", i.process_start);
  a("state", i.state);
  a("address", i.address);
  a("port", i.port);
  a("since", i.since_ms);
  a("epoch", i.epoch);
  a("renewals", i.renewals);
  a("beat", i.beat);
  a("permitsStandby", i.permits_standby);
  a("endAll", i.end_all);
  a("baton", i.version);
}

std::string to_string(qmgr_instance_state state) {
  return words<qmgr_instance_state>::list[static_cast<std::size_t>(state)];
}
std::string to_json(const qmgr_instance& instance) {
  return write_json(instance);
}
result<qmgr_instance> read_qmgr_instance(const std::string& json) {
  return read_json<qmgr_instance>(json, "instance");
}

}  // namespace baton::formats
