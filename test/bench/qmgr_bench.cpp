// Measures the embedded queue manager with stock Proton clients: messages and bytes per second through one queue, round
// trips, and what 1,000 idle connections cost. Starts its own baton-qmgr (from BATON_BIN, else beside this program) in
// a new directory. One line per measurement: name, then key=value pairs.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <proton/connection.hpp>
#include <proton/connection_options.hpp>
#include <proton/container.hpp>
#include <proton/delivery.hpp>
#include <proton/message.hpp>
#include <proton/messaging_handler.hpp>
#include <proton/receiver.hpp>
#include <proton/receiver_options.hpp>
#include <proton/sender.hpp>
#include <proton/sender_options.hpp>
#include <proton/tracker.hpp>
#include <proton/transport.hpp>
#include <proton/types.hpp>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include "common/xxh3.hpp"

namespace {

namespace fs = std::filesystem;
constexpr std::size_t large_bytes = 256 * 1024;
constexpr int large_count = 8000;
constexpr int window = 20;
using clock_type = std::chrono::steady_clock;

double seconds_since(clock_type::time_point start) {
  return std::chrono::duration<double>(clock_type::now() - start).count();
}

// Polls until the condition holds; false when the deadline passed.
template <class Condition>
bool eventually(double deadline_s, Condition holds) {
  constexpr int pause_ms = 2;
  for (const auto start = clock_type::now(); !holds(); poll(nullptr, 0, pause_ms)) {
    if (seconds_since(start) > deadline_s) return false;
  }
  return true;
}

// A baton-qmgr of our own.
class manager {
 public:
  explicit manager(const fs::path& program) {
    char pattern[] = "/tmp/baton-bench-XXXXXX";
    if (mkdtemp(pattern) == nullptr) throw std::runtime_error("no temporary directory");
    root_ = pattern;
    pid_ = fork();
    if (pid_ == 0) {
      setenv("BFG_DATA", root_.c_str(), 1);
      execl(program.c_str(), program.c_str(), "BENCH", "-p", "0", nullptr);
      _exit(127);
    }
    const fs::path address = root_ / "qmgrs/BENCH/qmgr.address";
    if (!eventually(10, [&] { return fs::exists(address); })) throw std::runtime_error("baton-qmgr does not start");
    std::string host, port;
    std::ifstream(address) >> host >> port;
    url_ = fmt::format("amqp://{}:{}", host, port);
  }
  ~manager() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
    fs::remove_all(root_);
  }
  const std::string& url() const { return url_; }
  long resident_kib() const {
    std::ifstream status(fmt::format("/proc/{}/status", pid_));
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) return std::atol(line.c_str() + 6);
    }
    return 0;
  }
  double cpu_seconds() const {
    std::ifstream stat(fmt::format("/proc/{}/stat", pid_));
    std::string word;
    long user = 0, system = 0;
    for (int i = 0; i < 13; ++i) stat >> word;
    stat >> user >> system;
    return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }

 private:
  fs::path root_;
  pid_t pid_ = 0;
  std::string url_;
};

proton::connection_options plain() {
  return proton::connection_options().idle_timeout(proton::duration(8000)).max_frame_size(272 * 1024);
}

// Sends `count` messages, as credit comes, and stops when all of them are accepted.
class producer : public proton::messaging_handler {
 public:
  producer(std::string url, std::string queue, proton::message content, int count)
      : url_(std::move(url)), queue_(std::move(queue)), content_(std::move(content)), left_(count), open_(count) {}
  void on_container_start(proton::container& c) override { c.open_sender(url_ + "/" + queue_, {}, plain()); }
  void on_sendable(proton::sender& s) override {
    for (; left_ > 0 && s.credit() > 0; --left_) s.send(content_);
  }
  void on_tracker_accept(proton::tracker& t) override {
    if (--open_ == 0) t.connection().close();
  }
  void on_tracker_reject(proton::tracker&) override { throw std::runtime_error("a message was rejected"); }
  void on_transport_error(proton::transport& t) override {
    if (open_ > 0) throw std::runtime_error(t.error().what());
  }

 private:
  std::string url_, queue_;
  proton::message content_;
  int left_, open_;
};

class consumer : public proton::messaging_handler {
 public:
  consumer(std::string url, std::string queue, int count)
      : url_(std::move(url)), queue_(std::move(queue)), left_(count) {}
  void on_container_start(proton::container& c) override {
    c.open_receiver(url_ + "/" + queue_, proton::receiver_options().credit_window(window), plain());
  }
  void on_message(proton::delivery& d, proton::message&) override {
    if (--left_ == 0) d.connection().close();
  }
  void on_transport_error(proton::transport& t) override {  // RabbitMQ goes on after its answer to the close
    if (left_ > 0) throw std::runtime_error(t.error().what());
  }

 private:
  std::string url_, queue_;
  int left_;
};

// What moving a file takes at least, with the same stock client: it is read at one end and written at the other. With
// `checks` each piece has a check value, and the whole a checksum, which the other side compares before it has written
// everything.
struct file_sums {
  XXH3_state_t* whole = XXH3_createState();
  const bool checks;
  explicit file_sums(bool with_checks) : checks(with_checks) { XXH3_128bits_reset(whole); }
  file_sums(const file_sums&) = delete;
  file_sums& operator=(const file_sums&) = delete;
  ~file_sums() { XXH3_freeState(whole); }
  std::uint64_t add(const proton::binary& piece) {
    if (!checks) return 0;
    XXH3_128bits_update(whole, piece.data(), piece.size());
    return XXH3_64bits(piece.data(), piece.size());
  }
};

class file_producer : public proton::messaging_handler {
 public:
  file_producer(std::string url, std::string queue, const char* path, bool checks)
      : url_(std::move(url)), queue_(std::move(queue)), file_(open(path, O_RDONLY)), sums_(checks) {}
  ~file_producer() override { close(file_); }
  void on_container_start(proton::container& c) override { c.open_sender(url_ + "/" + queue_, {}, plain()); }
  void on_sendable(proton::sender& s) override {
    for (; !ended_ && s.credit() > 0; ++open_) {
      proton::binary piece(piece_bytes);
      const ssize_t got = read(file_, piece.data(), piece.size());
      if (got < 0) throw std::runtime_error("the file cannot be read");
      piece.resize(static_cast<std::size_t>(got));
      ended_ = got == 0;
      proton::message content;
      content.correlation_id(ended_ ? XXH3_128bits_digest(sums_.whole).low64 : sums_.add(piece));
      content.body(piece);
      s.send(content);
    }
  }
  void on_tracker_accept(proton::tracker& t) override {
    if (--open_ == 0 && ended_) t.connection().close();
  }

 private:
  static constexpr std::size_t piece_bytes = 256 * 1024;
  std::string url_, queue_;
  int file_, open_ = 0;
  bool ended_ = false;
  file_sums sums_;
};

class file_consumer : public proton::messaging_handler {
 public:
  file_consumer(std::string url, std::string queue, const char* path, bool checks)
      : url_(std::move(url)),
        queue_(std::move(queue)),
        file_(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600)),
        sums_(checks) {}
  ~file_consumer() override { close(file_); }
  void on_container_start(proton::container& c) override {
    c.open_receiver(url_ + "/" + queue_, proton::receiver_options().credit_window(20), plain());
  }
  void on_message(proton::delivery& d, proton::message& m) override {
    const auto piece = proton::get<proton::binary>(m.body());
    const auto said = proton::get<std::uint64_t>(m.correlation_id());
    const bool last = piece.empty();
    if (said != (last ? XXH3_128bits_digest(sums_.whole).low64 : sums_.add(piece))) throw std::runtime_error("damaged");
    if (write(file_, piece.data(), piece.size()) != static_cast<ssize_t>(piece.size())) {
      throw std::runtime_error("the file cannot be written");
    }
    if (last) d.connection().close();
  }

 private:
  std::string url_, queue_;
  int file_;
  file_sums sums_;
};

// One message at a time there and back: what a lock renewal costs.
class round_trip : public proton::messaging_handler {
 public:
  round_trip(std::string url, std::string queue, proton::message content, int count)
      : url_(std::move(url)), queue_(std::move(queue)), content_(std::move(content)), left_(count) {}
  void on_container_start(proton::container& c) override { c.connect(url_, plain()); }
  void on_connection_open(proton::connection& c) override {
    c.open_receiver(queue_);
    sender_ = c.open_sender(queue_);
  }
  void on_sender_open(proton::sender&) override { start_ = clock_type::now(); }
  void on_sendable(proton::sender& s) override {
    if (!std::exchange(started_, true)) s.send(content_);
  }
  void on_message(proton::delivery& d, proton::message&) override {
    d.accept();
    if (--left_ == 0) {
      elapsed_s = seconds_since(start_);
      d.connection().close();
    } else {
      sender_.send(content_);
    }
  }
  double elapsed_s = 0;

 private:
  std::string url_, queue_;
  proton::message content_;
  int left_;
  bool started_ = false;
  proton::sender sender_;
  clock_type::time_point start_;
};

class idlers : public proton::messaging_handler {
 public:
  idlers(std::string url, int count) : url_(std::move(url)), count_(count) {}
  void on_container_start(proton::container& c) override {
    for (int i = 0; i < count_; ++i) c.open_receiver(url_ + "/IDLE", {}, plain());
  }
  void on_receiver_open(proton::receiver& r) override {
    connections_.push_back(r.connection());
    if (static_cast<int>(connections_.size()) == count_) ready = true;
  }
  void on_transport_error(proton::transport&) override {}  // the end of the measurement cuts them off
  std::atomic<bool> ready = false;

 private:
  std::string url_;
  int count_;
  std::vector<proton::connection> connections_;
};

void declare(const std::string& url, const std::string& queue, const std::string& body = "") {
  proton::message request(body);
  request.properties().put("operation", "declare");
  request.properties().put("queue", queue);
  producer one(url, "$management", request, 1);
  proton::container(one).run();
}

proton::message content(std::size_t bytes, bool durable) {
  proton::message made(proton::binary(std::string(bytes, 'x')));
  made.durable(durable);
  return made;
}

// Through a queue that exists.
double seconds_of_flow(const std::string& url, const std::string& queue, const proton::message& content, int count) {
  consumer taking(url, queue, count);
  producer sending(url, queue, content, count);
  const auto start = clock_type::now();
  std::thread taker([&] { proton::container(taking).run(); });
  std::thread sender([&] { proton::container(sending).run(); });
  sender.join();
  taker.join();
  return seconds_since(start);
}

void measure_flow(const manager& qm, const std::string& name, std::size_t bytes, bool durable, int count) {
  declare(qm.url(), name);
  const double cpu = qm.cpu_seconds();
  const double elapsed = seconds_of_flow(qm.url(), name, content(bytes, durable), count);
  fmt::print(
      "{} bytes={} durable={} messages={} seconds={:.2f} messages_per_s={:.0f} mb_per_s={:.1f} cpu_s={:.2f} "
      "rss_kib={}\n",
      name, bytes, durable, count, elapsed, count / elapsed, static_cast<double>(bytes) * count / elapsed / 1e6,
      qm.cpu_seconds() - cpu, qm.resident_kib());
}

void measure_file(const manager& qm, const char* from, const char* to, bool checks) {
  declare(qm.url(), "FILE");
  file_consumer taking(qm.url(), "FILE", to, checks);
  file_producer sending(qm.url(), "FILE", from, checks);
  const double cpu = qm.cpu_seconds();
  const auto start = clock_type::now();
  std::thread taker([&] { proton::container(taking).run(); });
  std::thread sender([&] { proton::container(sending).run(); });
  sender.join();
  taker.join();
  const double elapsed = seconds_since(start);
  fmt::print("FILE bytes={} seconds={:.2f} mb_per_s={:.1f} cpu_s={:.2f}\n", fs::file_size(to), elapsed,
             static_cast<double>(fs::file_size(to)) / elapsed / 1e6, qm.cpu_seconds() - cpu);
}

void measure_round_trip(const manager& qm, const std::string& name, bool durable, int count) {
  declare(qm.url(), name);
  round_trip trip(qm.url(), name, content(200, durable), count);
  proton::container(trip).run();
  fmt::print("{} durable={} trips={} us_per_trip={:.0f}\n", name, durable, count, trip.elapsed_s / count * 1e6);
}

void measure_idle(const manager& qm, int count, int watch_s) {
  declare(qm.url(), "IDLE", R"({"type":"single-active"})");
  const long before = qm.resident_kib();
  idlers many(qm.url(), count);
  proton::container container(many);
  std::thread runner([&] { container.run(); });
  const auto start = clock_type::now();
  eventually(60, [&] { return many.ready.load(); });
  const double opened = seconds_since(start);
  const double cpu = qm.cpu_seconds();
  sleep(static_cast<unsigned>(watch_s));
  fmt::print(
      "idle connections={} opened={} open_s={:.2f} rss_kib={} rss_kib_before={} kib_per_connection={:.1f} "
      "cpu_percent={:.2f}\n",
      count, many.ready.load(), opened, qm.resident_kib(), before,
      static_cast<double>(qm.resident_kib() - before) / count, (qm.cpu_seconds() - cpu) / watch_s * 100);
  container.stop();
  runner.join();
}

}  // namespace

int main(int count, char** words) {
  try {
    const char* folder = std::getenv("BATON_BIN");
    const fs::path program = (folder != nullptr ? fs::path(folder) : fs::path(words[0]).parent_path()) / "baton-qmgr";
    setvbuf(stdout, nullptr, _IOLBF, 0);
    if (count > 3 && std::string(words[1]) == "large") {  // for transfer_bench.py: another queue manager, a queue there
      const double elapsed = seconds_of_flow(words[2], words[3], content(large_bytes, false), large_count);
      fmt::print("LARGE seconds={:.2f} mb_per_s={:.1f}\n", elapsed, large_bytes * large_count / elapsed / 1e6);
      return 0;
    }
    const manager qm(program);
    if (count > 1 && std::string(words[1]) == "large") {  // for transfer_bench.py
      measure_flow(qm, "LARGE", large_bytes, false, large_count);
      return 0;
    }
    if (count > 4 && std::string(words[1]) == "file") {  // likewise: from, to, whether with checks
      measure_file(qm, words[2], words[3], std::string(words[4]) == "checked");
      return 0;
    }
    measure_idle(qm, 1000, 10);
    measure_round_trip(qm, "TRIP", false, 3000);
    measure_round_trip(qm, "TRIP.DURABLE", true, 500);
    measure_flow(qm, "SMALL", 1024, false, 200000);
    measure_flow(qm, "SMALL.DURABLE", 1024, true, 50000);
    measure_flow(qm, "LARGE", large_bytes, false, large_count);
    measure_flow(qm, "LARGE.DURABLE", large_bytes, true, 1000);
    return 0;
  } catch (const std::exception& failure) {
    fmt::print(stderr, "qmgr_bench: {}\n", failure.what());
    return 1;
  }
}
