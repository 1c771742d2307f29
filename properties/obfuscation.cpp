#include "properties/obfuscation.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <memory>

#include "common/text.hpp"

namespace baton {
namespace {

constexpr std::string_view prefix = "{baton1}";
constexpr std::size_t nonce_length = 12, tag_length = 16;
constexpr std::string_view built_in = "baton: obfuscation is not encryption";

using cipher_context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

unsigned char* bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}
const unsigned char* bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// One direction of AES-256-GCM; `tag` is written when encrypting and checked when decrypting.
bool run_cipher(bool encrypt, std::string_view key, std::string_view nonce, std::string_view input, std::string& output,
                std::string& tag) {
  const cipher_context context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  const int direction = encrypt ? 1 : 0;
  output.assign(input.size() + 16, '\0');
  tag.resize(tag_length);
  int length = 0, rest = 0;
  if (!context ||
      EVP_CipherInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes(key), bytes(nonce), direction) != 1)
    return false;
  if (EVP_CipherUpdate(context.get(), bytes(output), &length, bytes(input), static_cast<int>(input.size())) != 1)
    return false;
  if (!encrypt && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, tag_length, tag.data()) != 1) return false;
  if (EVP_CipherFinal_ex(context.get(), bytes(output) + length, &rest) != 1) return false;
  if (encrypt && EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, tag_length, tag.data()) != 1) return false;
  output.resize(static_cast<std::size_t>(length + rest));
  return true;
}

}  // namespace

std::string obfuscation_key(std::string_view key_file_content) {
  const std::string_view secret = key_file_content.empty() ? built_in : key_file_content;
  std::string key(EVP_MAX_MD_SIZE, '\0');
  unsigned length = 0;
  EVP_Digest(secret.data(), secret.size(), bytes(key), &length, EVP_sha256(), nullptr);
  key.resize(length);
  return key;
}

bool is_obfuscated(std::string_view text) {
  return text.starts_with(prefix);
}

result<std::string> obfuscate(std::string_view text, std::string_view key) {
  std::string nonce(nonce_length, '\0'), hidden, tag;
  if (RAND_bytes(bytes(nonce), nonce_length) != 1 || !run_cipher(true, key, nonce, text, hidden, tag)) {
    return error{errc::internal, "OpenSSL could not encrypt"};
  }
  return std::string(prefix) + to_hex(nonce + hidden + tag);
}

result<std::string> reveal(std::string_view obfuscated, std::string_view key) {
  const error damaged{errc::bad_property, "an obfuscated value is damaged: run fteObfuscate again on the clear file"};
  if (!is_obfuscated(obfuscated)) return damaged;
  const auto raw = from_hex(obfuscated.substr(prefix.size()));
  if (!raw || raw->size() < nonce_length + tag_length) return damaged;
  const std::string_view all = *raw;
  std::string clear, tag(all.substr(all.size() - tag_length));
  const auto hidden = all.substr(nonce_length, all.size() - nonce_length - tag_length);
  if (!run_cipher(false, key, all.substr(0, nonce_length), hidden, clear, tag)) {
    return error{errc::not_permitted, "an obfuscated value cannot be read with this key, or was changed"};
  }
  return clear;
}

}  // namespace baton
