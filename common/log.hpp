// output0.log: the log that people read. One line per event, in the line format of the field:
//   [22/11/2026 07:29:20:123 UTC] 00000001 Agent         I   BFGAG0059I: The agent SRC has been successfully started.
// that is local time with zone, thread number in hex, component in 13 columns, severity, message. Line ends and other
// control characters of inserts are escaped, so that one event is always one line. Any thread may log.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/messages/message.hpp"
#include "common/result.hpp"

namespace baton {

struct log_options {
  std::filesystem::path directory;   // created when missing; empty: no file
  std::string base_name = "output";  // output0.log is the newest, output1.log the one before, ...
  std::string extension = "log";
  std::size_t files_max = 5;             // property outputLogFiles, 1 to 100
  std::size_t file_bytes_max = 1 << 20;  // property outputLogSize; rotated when the next line would pass it
  bool to_stdout = false;                // also to standard output: -F of the start commands
};

// Opens the log of this process; called once, before the first line. Fails when the directory or file cannot be made.
status open_log(const log_options& options);

// Opens the second log of this process, for programs: one JSON object on a line. Without it record_line does nothing.
status open_record_log(const log_options& options);
void record_line(std::string_view json);

// Writes the environment block that starts each log: version, host, user, process id, data root, command line.
void log_environment(std::string_view component, int argument_count, const char* const* arguments);

// The number of this thread, as it stands in the lines.
unsigned log_thread_number();

// Writes one line. Before open_log it goes to standard error.
void log_line(std::string_view component, char severity, std::string_view text);

// A component's way to the log: `log(messages::BFGAG0059I, agent_name);`
class logger {
 public:
  explicit constexpr logger(std::string_view component) : component_(component) {}
  template <class... Inserts>
  void operator()(const message& m, const Inserts&... inserts) const {
    log_line(component_, m.severity(), render(m, inserts...));
  }

 private:
  std::string_view component_;
};

}  // namespace baton
