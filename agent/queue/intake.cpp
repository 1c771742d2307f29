#include "agent/queue/intake.hpp"

#include "common/xxh3.hpp"

namespace baton::queue {

std::string identity_of(std::string_view id, std::string_view body) {
  std::string both(id);
  both += '\0';
  both += body;
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(both.data(), both.size()));
  return std::string(reinterpret_cast<const char*>(canonical.digest), sizeof canonical.digest);
}

intake::verdict intake::on_message(const std::string& identity, std::uint64_t bytes) {
  if (looks_) return found_.empty() ? look(identity) : look_anywhere(identity);
  if (held_ > 0 && bytes_ + bytes > limits_.bytes_max) return verdict::full;
  identities_ += identity;
  bytes_ += bytes;
  next_ = ++held_;
  return held_ == limits_.messages_max || bytes_ >= limits_.bytes_max ? verdict::last : verdict::take;
}

intake::verdict intake::look(const std::string& identity) {
  for (std::uint64_t at = next_; at < count(); ++at) {
    if (!is_at(at, identity)) {
      if (held_ > 0) break;  // behind the first there are no gaps
      continue;
    }
    next_ = at + 1;
    ++held_;
    return next_ == count() ? verdict::last : verdict::take;
  }
  return verdict::alien;
}

intake::verdict intake::look_anywhere(const std::string& identity) {
  for (std::uint64_t at = 0; at < count(); ++at) {
    if (found_[at] || !is_at(at, identity)) continue;
    found_[at] = true;
    next_ = at + 1;
    return ++held_ == count() ? verdict::last : verdict::take;
  }
  return verdict::alien;
}

}  // namespace baton::queue
