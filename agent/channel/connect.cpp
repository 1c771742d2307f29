#include "agent/channel/connect.hpp"

#include <fmt/format.h>

#include <utility>

#include "agent/channel/runtime.hpp"
#include "common/text.hpp"

namespace baton::channel {

// Only the loop may hold the thread itself: whoever lets go of it last waits for its end.
void connect(event_loop& loop, const std::shared_ptr<runtime>& thread, const target& to,
             std::function<void(result<std::unique_ptr<direct_channel>>)> then) {
  thread->post([&loop, &here = *thread, weak = std::weak_ptr<runtime>(thread), to, then = std::move(then)] {
    boost::system::error_code failure;
    const auto address = asio::ip::make_address(to.address, failure);
    auto bytes = to.name.empty() ? make_plain_stream(tcp::socket(here.io()))
                                 : make_tls_stream(tcp::socket(here.io()), *here.client(), to.name);
    const auto made = here.add(std::move(bytes), fmt::format("{}:{}", to.address, to.port));
    made->connect({address, to.port}, from_hex(to.secret).value_or(""),
                  [&loop, weak, then, self = std::weak_ptr<session>(made)](const result<std::string>& greeted) {
                    loop.post([&loop, weak, then, one = self.lock(), greeted] {
                      const auto alive = weak.lock();
                      if (!alive) return;
                      if (!greeted) return then(greeted.error());
                      then(std::make_unique<direct_channel>(loop, alive, one));
                    });
                  });
  });
}

}  // namespace baton::channel
