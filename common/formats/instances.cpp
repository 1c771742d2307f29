#include "common/formats/instances.hpp"

#include "common/formats/instances_archive.hpp"
#include "common/formats/json_archive.hpp"

namespace baton::formats {

std::string to_json(const instance_status& status) {
  return write_json(status);
}
std::string to_json(const takeover& event) {
  return write_json(event);
}
result<instance_status> read_instance_status(const std::string& json) {
  return read_json<instance_status>(json, "instance status");
}
result<takeover> read_takeover(const std::string& json) {
  return read_json<takeover>(json, "takeover");
}

}  // namespace baton::formats
