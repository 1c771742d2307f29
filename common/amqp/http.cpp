#include "common/amqp/http.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace baton::amqp {
namespace {

constexpr std::size_t answer_bytes_max = 1 << 20;

struct library {
  library() { curl_global_init(CURL_GLOBAL_DEFAULT); }
};

std::size_t collect(char* bytes, std::size_t size, std::size_t count, void* into) {
  auto& text = *static_cast<std::string*>(into);
  const std::size_t length = size * count;
  text.append(bytes, std::min(length, answer_bytes_max - std::min(answer_bytes_max, text.size())));
  return length;
}

void set_tls(CURL* call, const tls_files& tls) {
  if (!tls.trust.empty()) curl_easy_setopt(call, CURLOPT_CAINFO, tls.trust.c_str());
  if (tls.certificate.empty()) return;
  curl_easy_setopt(call, CURLOPT_SSLCERT, tls.certificate.c_str());
  curl_easy_setopt(call, CURLOPT_SSLKEY, tls.key.c_str());
}

}  // namespace

result<http_answer> http_call(const http_request& request, std::int64_t timeout_ms) {
  static const library initialised;
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> call(curl_easy_init(), &curl_easy_cleanup);
  if (!call) return error{errc::internal, "HTTP: the library gives no handle"};
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(
      curl_slist_append(nullptr, "Content-Type: application/json"), &curl_slist_free_all);
  http_answer answer;
  char reason[CURL_ERROR_SIZE] = "";
  const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(call.get(), option, value); };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_PROXY, "");
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(timeout_ms, 1)));
  set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
  set(CURLOPT_USERNAME, request.user.c_str());
  set(CURLOPT_PASSWORD, request.password.c_str());
  set(CURLOPT_WRITEFUNCTION, &collect);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&answer.body));
  set(CURLOPT_ERRORBUFFER, static_cast<char*>(reason));
  if (!request.body.empty()) set(CURLOPT_POSTFIELDS, request.body.c_str());
  set_tls(call.get(), request.tls);
  const CURLcode done = curl_easy_perform(call.get());
  if (done != CURLE_OK) {
    const errc code = done == CURLE_OPERATION_TIMEDOUT ? errc::timed_out : errc::unreachable;
    return error{code, fmt::format("{} {}: {}", request.method, request.url,
                                   reason[0] != 0 ? static_cast<const char*>(reason) : curl_easy_strerror(done))};
  }
  long status = 0;
  curl_easy_getinfo(call.get(), CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

}  // namespace baton::amqp
