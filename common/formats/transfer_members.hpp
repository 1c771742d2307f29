// Members of transfer messages that are also parts of records. Included by the .cpp files of this folder only.
#pragma once

#include "common/formats/json_archive.hpp"
#include "common/formats/transfer.hpp"

namespace baton::formats {

template <class Archive>
void describe(Archive& a, position& p) {
  a("item", p.item);
  a("offset", p.offset);
}

template <class Archive>
void describe(Archive& a, negotiate& m) {
  a("transferId", m.transfer_id);
  a("sourceAgent", m.source_agent);
  a("job", m.job);
  a("epoch", m.epoch);
  a("run", m.run);
  a("attempt", m.attempt);
  a("itemsTotal", m.items_total);
  a("bytesTotal", m.bytes_total);
  a("resultsFrom", m.results_from);
  a("again", m.again);
  a("chunkBytes", m.chunk_bytes);
  a("windowFrames", m.window_frames);
  a("direct", m.direct);
  a("epochSeen", m.epoch_seen);
  a("runSeen", m.run_seen);
}

}  // namespace baton::formats
