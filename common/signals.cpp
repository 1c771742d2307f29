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

signal_watch::signal_watch(event_loop& loop, std::function<void(int signal, int word)> on_signal)
    : thread_([&loop, on_signal = std::move(on_signal)] {
        const sigset_t set = watched_signals();
        siginfo_t about{};
        while (true) {
          const int got = sigwaitinfo(&set, &about);
          if (got < 0) continue;  // a debugger, or a process that was stopped and goes on
          if (got == end_of_watch) return;
          const int word = about.si_code == SI_QUEUE ? about.si_value.sival_int : 0;
          loop.post([on_signal, got, word] { on_signal(got, word); });
        }
      }) {}

signal_watch::signal_watch(event_loop& loop, std::function<void(int signal)> on_signal)
    : signal_watch(loop, [on_signal = std::move(on_signal)](int got, int) { on_signal(got); }) {}

signal_watch::~signal_watch() {
  pthread_kill(thread_.native_handle(), end_of_watch);
  thread_.join();
}

}  // namespace baton
