// The signals of a daemon, taken by a thread of their own and handed to the event loop.
#pragma once

#include <functional>
#include <thread>

#include "common/loop.hpp"

namespace baton {

class signal_watch {
 public:
  // SIGTERM, SIGINT and SIGHUP will be taken here. Before any other thread starts, so that all of them leave these
  // alone. A peer that has gone (SIGPIPE) and a limit on file sizes (SIGXFSZ) become errors of the call; who breaks a
  // file lease (SIGIO) is no concern of a daemon's.
  static void block();
  // `on_signal` is called on the loop, with the number of the signal, and with the number that its sender gave with
  // sigqueue; 0: none.
  signal_watch(event_loop& loop, std::function<void(int signal, int word)> on_signal);
  signal_watch(event_loop& loop, std::function<void(int signal)> on_signal);
  ~signal_watch();

 private:
  std::thread thread_;
};

}  // namespace baton
