#include "common/signals.hpp"

#include <pthread.h>
#include <signal.h>

#include <utility>

namespace baton {
namespace {

constexpr int end_of_watch = SIGUSR2;

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int one : {SIGTERM, SIGINT, SIGHUP, end_of_watch}) sigaddset(&set, one);
  return set;
}

}  // namespace

void signal_watch::block() {
  const sigset_t set = watched_signals();
  for (const int one : {SIGTERM, SIGINT, SIGHUP}) signal(one, SIG_DFL);  // a shell's background job ignores SIGINT
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  for (const int one : {SIGPIPE, SIGXFSZ, SIGIO}) signal(one, SIG_IGN);
}

signal_watch::signal_watch(event_loop& loop, std::function<void(int signal)> on_signal)
    : thread_([&loop, on_signal = std::move(on_signal)] {
        const sigset_t set = watched_signals();
        for (int got = 0; sigwait(&set, &got) == 0 && got != end_of_watch;)
          loop.post([on_signal, got] { on_signal(got); });
      }) {}

signal_watch::~signal_watch() {
  pthread_kill(thread_.native_handle(), end_of_watch);
  thread_.join();
}

}  // namespace baton
