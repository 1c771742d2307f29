// For an act that waits for something, but not for ever. Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "common/loop.hpp"

namespace baton {

// What it returns runs `then` when it is called the first time; without a call it runs after patience_ms.
inline std::function<void()> once_within(event_loop& loop, std::int64_t patience_ms, std::function<void()> then) {
  const auto rest = std::make_shared<std::function<void()>>(std::move(then));
  const auto go_on = [rest] {
    if (auto next = std::exchange(*rest, nullptr)) next();
  };
  loop.after(patience_ms, go_on);
  return go_on;
}

}  // namespace baton
