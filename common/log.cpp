#include "common/log.hpp"

#include <fcntl.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <vector>

#include "common/text.hpp"

namespace baton {
namespace {

namespace fs = std::filesystem;

// Writes <base>0.log and, when it is full, shifts it to <base>1.log and so on; the oldest one goes.
// spdlog's own rotating sink names its files otherwise (output0.1.log) than the field does.
//
// A line is one write, so that a crash leaves whole lines. What does not fit on a full disk is lost, and what comes
// when there is room again begins on a line of its own.
class rotating_sink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit rotating_sink(log_options options) : options_(std::move(options)) { open(); }
  ~rotating_sink() override { close(); }
  rotating_sink(const rotating_sink&) = delete;
  rotating_sink& operator=(const rotating_sink&) = delete;
  bool usable() const { return file_ >= 0; }

 protected:
  void sink_it_(const spdlog::details::log_msg& line) override {
    if (written_ > 0 && written_ + line.payload.size() + 1 > options_.file_bytes_max) rotate();
    if (file_ < 0) open();
    line_.assign(torn_ ? "\n" : "").append(line.payload.data(), line.payload.size()).append("\n");
    const ssize_t count = ::write(file_, line_.data(), line_.size());
    if (count <= 0) return;
    written_ += static_cast<std::size_t>(count);
    torn_ = line_[static_cast<std::size_t>(count) - 1] != '\n';
  }
  void flush_() override {}

 private:
  fs::path path(std::size_t index) const {
    return options_.directory / fmt::format("{}{}.{}", options_.base_name, index, options_.extension);
  }
  void open() {
    file_ = ::open(path(0).c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    const off_t size = file_ < 0 ? 0 : ::lseek(file_, 0, SEEK_END);
    char last = '\n';
    torn_ = size > 0 && ::pread(file_, &last, 1, size - 1) == 1 && last != '\n';
    written_ = static_cast<std::size_t>(std::max<off_t>(size, 0));
  }
  void close() {
    if (file_ >= 0) ::close(file_);
  }
  void rotate() {
    close();
    std::error_code ignored;
    for (std::size_t i = options_.files_max - 1; i > 0; --i) fs::rename(path(i - 1), path(i), ignored);
    if (options_.files_max == 1) fs::remove(path(0), ignored);
    open();
  }

  log_options options_;
  int file_ = -1;
  std::size_t written_ = 0;
  bool torn_ = false;  // the file ends inside a line
  std::string line_;
};

std::shared_ptr<spdlog::logger>& process_log() {
  static std::shared_ptr<spdlog::logger> log = [] {
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    auto made = std::make_shared<spdlog::logger>("baton", sink);
    made->set_pattern("%v");
    return made;
  }();
  return log;
}

std::shared_ptr<spdlog::logger>& record_log() {
  static std::shared_ptr<spdlog::logger> log;
  return log;
}

result<std::shared_ptr<rotating_sink>> open_file(const log_options& options) {
  std::error_code failure;
  fs::create_directories(options.directory, failure);
  auto file = std::make_shared<rotating_sink>(options);
  if (file->usable()) return file;
  return error{errc::io,
               fmt::format("cannot write the log {}/{}0.{}: {}", options.directory.string(), options.base_name,
                           options.extension, system_text(failure ? failure.value() : errno))};
}

std::string time_stamp() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm local{};
  localtime_r(&now.tv_sec, &local);
  char day[32], zone[16];
  strftime(day, sizeof day, "%d/%m/%Y %H:%M:%S", &local);
  strftime(zone, sizeof zone, "%Z", &local);
  return fmt::format("{}:{:03} {}", day, now.tv_nsec / 1000000, zone);
}

}  // namespace

unsigned log_thread_number() {
  static std::atomic<unsigned> next{1};
  thread_local const unsigned number = next++;
  return number;
}

status open_log(const log_options& options) {
  std::vector<spdlog::sink_ptr> sinks;
  if (!options.directory.empty()) {
    const auto file = open_file(options);
    if (!file) return file.error();
    sinks.push_back(*file);
  }
  if (options.to_stdout) sinks.push_back(std::make_shared<spdlog::sinks::stdout_sink_mt>());
  auto made = std::make_shared<spdlog::logger>("baton", sinks.begin(), sinks.end());
  made->set_pattern("%v");
  made->flush_on(spdlog::level::trace);
  process_log() = std::move(made);
  return done();
}

status open_record_log(const log_options& options) {
  const auto file = open_file(options);
  if (!file) return file.error();
  auto made = std::make_shared<spdlog::logger>("records", *file);
  made->set_pattern("%v");
  record_log() = std::move(made);
  return done();
}

void record_line(std::string_view json) {
  if (record_log()) record_log()->info(json);
}

void log_line(std::string_view component, char severity, std::string_view text) {
  process_log()->info("[{}] {:08X} {:<13.13} {}   {}", time_stamp(), log_thread_number(), component, severity,
                      escape_control(text));
}

void log_environment(std::string_view component, int argument_count, const char* const* arguments) {
  const auto say = [&](const std::string& text) { log_line(component, 'I', text); };
  const char* data = std::getenv("BFG_DATA");
  std::string words;
  for (int i = 0; i < argument_count; ++i) words += (i > 0 ? " " : "") + std::string(arguments[i]);
  say("************* Start Display Current Environment *************");
  say(fmt::format("Baton version: {}", BATON_VERSION));
  say(fmt::format("Host name: {}", host_name()));
  say(fmt::format("Process id: {}  User id: {}", getpid(), getuid()));
  say(fmt::format("BFG_DATA: {}", data != nullptr ? data : "(not set: $HOME/.baton)"));
  say(fmt::format("Command line: {}", words));
  say("************* End Display Current Environment *************");
}

}  // namespace baton
