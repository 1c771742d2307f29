// Turns the specifications of a request into items: wildcards, directories, recursion. Runs on a worker thread.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <string>

#include "agent/transfer/plan.hpp"
#include "common/formats/requests.hpp"

namespace baton::transfer {

struct planner_options {
  std::string root;                              // where relative source paths start
  std::uint64_t files_max = 0;                   // maxFilesForTransfer, 0: no limit
  const std::atomic<bool>* cancelled = nullptr;  // looked at between items
};

// Why a plan could not be made: an overall result code (reference section 3.7) and a rendered message.
struct plan_failure {
  int result_code = 40;
  std::string text;
};

// Calls `add` with each item, in the order of the specifications and within a directory in the order that the file
// system gives. Links, devices, unreadable directories become items with a failure. The plan as a whole fails only for
// what makes no sense (several files to one file) or a limit.
std::optional<plan_failure> make_plan(const formats::transfer_request& request, const planner_options& options,
                                      const std::function<void(plan_item)>& add);

}  // namespace baton::transfer
