#include "common/formats/lock.hpp"

#include "common/formats/json_archive.hpp"

namespace baton::formats {

template <class Archive>
void describe(Archive& a, lock_token& t) {
  a("epoch", t.epoch);
  a("sequence", t.sequence);
  a("run", t.run);
  a("instance", t.instance);
  a("host", t.host);
  a("renewed", t.renewed_ms);
  a("released", t.released);
  a("moved", t.moved);
  a("baton", t.version);
  a("format", t.format);
}

std::string to_json(const lock_token& token) {
  return write_json(token);
}
result<lock_token> read_lock_token(const std::string& json) {
  return read_json<lock_token>(json, "lock token");
}

}  // namespace baton::formats
