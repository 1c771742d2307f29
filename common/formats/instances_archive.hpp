// The members of instance_status and takeover, for the .cpp files of this folder that contain them.
#pragma once

#include "common/formats/instances.hpp"

namespace baton::formats {

template <class Archive>
void describe(Archive& a, instance_status& s) {
  a.identity("instance", s.name);
  a("role", s.role);
  a("host", s.host);
  a("agentVersion", s.version);
  a("pid", s.pid);
  a("priority", s.priority);
  a("format", s.format);
  a("epoch", s.epoch);
  a("since", s.since_ms);
  a("silent", s.silent_ms);
}

template <class Archive>
void describe(Archive& a, takeover& t) {
  a.identity("agentName", t.agent);
  a.identity("instance", t.instance);
  a("host", t.host);
  a("epoch", t.epoch);
  a("previousInstance", t.previous_instance);
  a("previousHost", t.previous_host);
  a("previousEpoch", t.previous_epoch);
  a("clean", t.clean);
  a("time", t.time_ms);
  a("duration", t.duration_ms);
  a("outage", t.outage_ms);
}

}  // namespace baton::formats
