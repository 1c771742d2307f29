#include "common/amqp/http.hpp"

#include <curl/curl.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

namespace baton::amqp {
namespace {

constexpr std::size_t answer_bytes_max = 1 << 20;

// Loaded when it is first needed: with what it needs in turn it would be a third of the memory of an agent that stands
// by, and most never need it.
class library {
 public:
  library() { find<decltype(&curl_global_init)>("curl_global_init")(CURL_GLOBAL_DEFAULT); }

 private:
  // The type is that of the function of the header. Throws what is missing.
  template <class Function>
  Function find(const char* name) const {
    void* const found = handle_ != nullptr ? ::dlsym(handle_, name) : nullptr;
    if (found == nullptr) throw std::runtime_error(::dlerror());
    return reinterpret_cast<Function>(found);
  }
  void* const handle_ = ::dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

 public:
  const decltype(&curl_easy_init) easy_init = find<decltype(&curl_easy_init)>("curl_easy_init");
  const decltype(&curl_easy_cleanup) easy_cleanup = find<decltype(&curl_easy_cleanup)>("curl_easy_cleanup");
  const decltype(&curl_easy_setopt) easy_setopt = find<decltype(&curl_easy_setopt)>("curl_easy_setopt");
  const decltype(&curl_easy_perform) easy_perform = find<decltype(&curl_easy_perform)>("curl_easy_perform");
  const decltype(&curl_easy_getinfo) easy_getinfo = find<decltype(&curl_easy_getinfo)>("curl_easy_getinfo");
  const decltype(&curl_easy_strerror) easy_strerror = find<decltype(&curl_easy_strerror)>("curl_easy_strerror");
  const decltype(&curl_slist_append) slist_append = find<decltype(&curl_slist_append)>("curl_slist_append");
  const decltype(&curl_slist_free_all) slist_free_all = find<decltype(&curl_slist_free_all)>("curl_slist_free_all");
};

std::size_t collect(char* bytes, std::size_t size, std::size_t count, void* into) {
  auto& text = *static_cast<std::string*>(into);
  const std::size_t length = size * count;
  text.append(bytes, std::min(length, answer_bytes_max - std::min(answer_bytes_max, text.size())));
  return length;
}

result<http_answer> call_with(const library& curl, const http_request& request, std::int64_t timeout_ms) {
  const std::unique_ptr<CURL, decltype(curl.easy_cleanup)> call(curl.easy_init(), curl.easy_cleanup);
  if (!call) return error{errc::internal, "HTTP: the library gives no handle"};
  const std::unique_ptr<curl_slist, decltype(curl.slist_free_all)> headers(
      curl.slist_append(nullptr, "Content-Type: application/json"), curl.slist_free_all);
  http_answer answer;
  char reason[CURL_ERROR_SIZE] = "";
  const auto set = [&](CURLoption option, auto value) { curl.easy_setopt(call.get(), option, value); };
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
  if (!request.tls.trust.empty()) set(CURLOPT_CAINFO, request.tls.trust.c_str());
  if (!request.tls.certificate.empty()) {
    set(CURLOPT_SSLCERT, request.tls.certificate.c_str());
    set(CURLOPT_SSLKEY, request.tls.key.c_str());
  }
  const CURLcode done = curl.easy_perform(call.get());
  if (done != CURLE_OK) {
    const errc code = done == CURLE_OPERATION_TIMEDOUT ? errc::timed_out : errc::unreachable;
    return error{code, fmt::format("{} {}: {}", request.method, request.url,
                                   reason[0] != 0 ? static_cast<const char*>(reason) : curl.easy_strerror(done))};
  }
  long status = 0;
  curl.easy_getinfo(call.get(), CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

}  // namespace

result<http_answer> http_call(const http_request& request, std::int64_t timeout_ms) {
  try {
    static const library curl;
    return call_with(curl, request, timeout_ms);
  } catch (const std::runtime_error& missing) {
    return error{errc::not_found, fmt::format("HTTP needs libcurl: {}", missing.what())};
  }
}

}  // namespace baton::amqp
