#include "common/formats/queue_journal.hpp"

#include "common/formats/json_archive.hpp"

namespace baton::formats {

template <class Archive>
void describe(Archive& a, queue_journal& j) {
  a("sequence", j.sequence);
  a("agent", j.agent);
  a("transferId", j.transfer_id);
  a("first", j.first);
  a("overtaken", j.overtaken);
}

std::string to_json(const queue_journal& j) {
  return write_json(j);
}
result<queue_journal> read_queue_journal(const std::string& json) {
  return read_json<queue_journal>(json, "queue journal");
}

}  // namespace baton::formats
