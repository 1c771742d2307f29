#include "common/amqp/http.hpp"

#include <curl/curl.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

namespace baton::amqp {
namespace {

constexpr std::size_t answer_bytes_max = 1 << 20;

// Loaded when it is first needed: with what it needs in turn it would be a third of the memory of an agent that stands
// by, and most never need it.
class library {
 public:
  static const library& get() {
    static const library loaded;
    return loaded;
  }
  std::string failure;  // empty: it is there
  decltype(&curl_easy_init) easy_init = nullptr;
  decltype(&curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&curl_easy_setopt) easy_setopt = nullptr;
  decltype(&curl_easy_perform) easy_perform = nullptr;
  decltype(&curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&curl_easy_strerror) easy_strerror = nullptr;
  decltype(&curl_slist_append) slist_append = nullptr;
  decltype(&curl_slist_free_all) slist_free_all = nullptr;

 private:
  library() : handle_(::dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL)) {
    decltype(&curl_global_init) global_init = nullptr;
    find("curl_global_init", global_init);
    find("curl_easy_init", easy_init);
    find("curl_easy_cleanup", easy_cleanup);
    find("curl_easy_setopt", easy_setopt);
    find("curl_easy_perform", easy_perform);
    find("curl_easy_getinfo", easy_getinfo);
    find("curl_easy_strerror", easy_strerror);
    find("curl_slist_append", slist_append);
    find("curl_slist_free_all", slist_free_all);
    if (failure.empty()) global_init(CURL_GLOBAL_DEFAULT);
  }
  template <class Function>
  void find(const char* name, Function& found) {
    if (handle_ != nullptr) found = reinterpret_cast<Function>(::dlsym(handle_, name));
    if (found == nullptr && failure.empty()) failure = ::dlerror();
  }
  void* handle_;
};

std::size_t collect(char* bytes, std::size_t size, std::size_t count, void* into) {
  auto& text = *static_cast<std::string*>(into);
  const std::size_t length = size * count;
  text.append(bytes, std::min(length, answer_bytes_max - std::min(answer_bytes_max, text.size())));
  return length;
}

}  // namespace

result<http_answer> http_call(const http_request& request, std::int64_t timeout_ms) {
  const library& curl = library::get();
  if (!curl.failure.empty()) return error{errc::not_found, fmt::format("HTTP needs libcurl: {}", curl.failure)};
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

}  // namespace baton::amqp
