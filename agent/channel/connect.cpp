#include "agent/channel/connect.hpp"

#include <fmt/format.h>

#include <utility>

#include "agent/channel/runtime.hpp"
#include "common/text.hpp"

namespace baton::channel {

void connect(event_loop& loop, runtime& thread, const target& to,
             std::function<void(result<std::unique_ptr<direct_channel>>)> then) {
  thread.post([&loop, &thread, to, then = std::move(then)] {
    boost::system::error_code failure;
    const auto address = asio::ip::make_address(to.address, failure);
    auto bytes = to.name.empty() ? make_plain_stream(tcp::socket(thread.io()))
                                 : make_tls_stream(tcp::socket(thread.io()), *thread.client(), to.name);
    const auto made = thread.add(std::move(bytes), fmt::format("{}:{}", to.address, to.port));
    made->connect({address, to.port}, from_hex(to.secret).value_or(""),
                  [&loop, &thread, then, weak = std::weak_ptr<session>(made)](const result<std::string>& greeted) {
                    loop.post([&loop, &thread, then, one = weak.lock(), greeted] {
                      if (!greeted) return then(greeted.error());
                      then(std::make_unique<direct_channel>(loop, thread, one));
                    });
                  });
  });
}

}  // namespace baton::channel
