#include "agent/transfer/checksum.hpp"

#include <openssl/evp.h>

#include <stdexcept>

#include "common/xxh3.hpp"

namespace baton::transfer {

struct checksum::state {
  EVP_MD_CTX* evp = nullptr;
  XXH3_state_t* xxh3 = nullptr;
  ~state() {
    EVP_MD_CTX_free(evp);
    XXH3_freeState(xxh3);
  }
};

checksum::checksum(formats::checksum_kind kind) : state_(std::make_unique<state>()) {
  if (kind == formats::checksum_kind::xxh3) {
    state_->xxh3 = XXH3_createState();
    XXH3_128bits_reset(state_->xxh3);
  } else if (kind != formats::checksum_kind::none) {
    state_->evp = EVP_MD_CTX_new();
    const EVP_MD* method = kind == formats::checksum_kind::md5 ? EVP_md5() : EVP_sha256();
    if (EVP_DigestInit_ex(state_->evp, method, nullptr) != 1) throw std::runtime_error("checksum method not available");
  }
}

checksum::~checksum() = default;
checksum::checksum(checksum&&) noexcept = default;
checksum& checksum::operator=(checksum&&) noexcept = default;

void checksum::update(std::string_view bytes) {
  if (state_->xxh3 != nullptr) XXH3_128bits_update(state_->xxh3, bytes.data(), bytes.size());
  if (state_->evp != nullptr) EVP_DigestUpdate(state_->evp, bytes.data(), bytes.size());
}

std::string checksum::digest() {
  if (state_->xxh3 != nullptr) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_->xxh3));
    return std::string(reinterpret_cast<const char*>(canonical.digest), sizeof canonical.digest);
  }
  if (state_->evp != nullptr) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    EVP_DigestFinal_ex(state_->evp, bytes, &length);
    return std::string(reinterpret_cast<const char*>(bytes), length);
  }
  return {};
}

}  // namespace baton::transfer
