// transferlog0.json: what becomes of the transfers that this agent sends, for programs to read; one JSON object on a
// line (docs/formats.md). How much there is, the property logTransfer says. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/formats/publications.hpp"
#include "common/formats/requests.hpp"

namespace baton::transfer {

enum class transfer_log_level { off, info, moderate, verbose };
transfer_log_level transfer_log_level_of(std::string_view word);  // info when there is no such word

void record_request(transfer_log_level level, const formats::transfer_request& request);  // from info on
void record_progress(transfer_log_level level, const formats::transfer_request& request,
                     const formats::progress& now);  // moderate
void record_end(transfer_log_level level, const formats::transfer_request& request,
                const formats::reply& result);  // info
// Items whose results are known: those that failed from moderate on, all with verbose.
void record_items(transfer_log_level level, const formats::transfer_request& request,
                  const std::vector<formats::log_item>& items);

}  // namespace baton::transfer
