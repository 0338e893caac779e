// SPDX-License-Identifier: Apache-2.0
#include "cli/http_get.h"

#include <curl/curl.h>

#include <array>
#include <memory>
#include <new>

#include "cli/http_failure.h"
#include "core/version.h"

namespace tcpdiag {
namespace {

constexpr std::size_t kMaxHeaderBytes = 256 << 10;

/// Only who asks a daemon pays for libcurl's beginning.
class Library {
 public:
  Library() : code_(curl_global_init(CURL_GLOBAL_DEFAULT)) {}
  ~Library() { curl_global_cleanup(); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  [[nodiscard]] CURLcode code() const { return code_; }

 private:
  CURLcode code_;
};

struct Received {
  std::string body;
  std::size_t header_bytes = 0;
};

// libcurl's callbacks: what they return is what they took, and less is an error.
std::size_t take_body(const char* bytes, std::size_t, std::size_t size, void* into) {
  auto& body = static_cast<Received*>(into)->body;
  if (size > kMaxHttpAnswer - body.size()) return 0;
  try {
    body.append(bytes, size);
  } catch (const std::bad_alloc&) {  // must not reach libcurl
    return 0;
  }
  return size;
}

std::size_t take_header(const char*, std::size_t, std::size_t size, void* into) {
  auto& taken = static_cast<Received*>(into)->header_bytes;
  taken += size;
  return taken > kMaxHeaderBytes ? 0 : size;
}

class Headers {
 public:
  Headers() = default;
  ~Headers() { curl_slist_free_all(list_); }
  Headers(const Headers&) = delete;
  Headers& operator=(const Headers&) = delete;

  void add(const std::string& line) {
    auto* longer = curl_slist_append(list_, line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    list_ = longer;
  }
  [[nodiscard]] curl_slist* list() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

/// Go asks such a host without a proxy of the environment, too.
bool is_loopback(const std::string& host) {
  return host == "localhost" || host.starts_with("127.") || host == "::1";
}

/// The URL with the host that the certificate shall be for; where the connection leads to stays as it was
/// said.
HttpUrl as_named(HttpUrl url, const ClientTls& tls) {
  if (url.tls && !tls.server_name.empty()) url.host = tls.server_name;
  return url;
}

class Request {
 public:
  Request() : handle_(curl_easy_init(), &curl_easy_cleanup) {
    if (!handle_) throw std::bad_alloc();
  }

  void ask(const std::string& url, std::chrono::milliseconds patience);
  void as_said_by(const HttpConfig& config, const HttpUrl& url);

  CURLcode run() {
    set(CURLOPT_HTTPHEADER, headers_.list());
    set(CURLOPT_CONNECT_TO, elsewhere_.list());
    return code_ != CURLE_OK ? code_ : curl_easy_perform(handle_.get());
  }

  template <class T>
  [[nodiscard]] T info(CURLINFO which) const {
    T value{};
    (curl_easy_getinfo)(handle_.get(), which, &value);
    return value;
  }
  [[nodiscard]] const char* said() const { return said_.data(); }
  [[nodiscard]] Received& received() { return received_; }

 private:
  // an option that this libcurl does not know must not be lost: it may be the authority to be trusted
  template <class T>
  void set(CURLoption option, T value) {
    if (code_ == CURLE_OK) code_ = (curl_easy_setopt)(handle_.get(), option, value);
  }
  void set_text(CURLoption option, const std::string& text) { set(option, text.c_str()); }
  void set_pem(CURLoption option, const std::string& text) {
    curl_blob blob{.data = const_cast<char*>(text.data()), .len = text.size(), .flags = CURL_BLOB_COPY};
    set(option, &blob);
  }
  void identify(const HttpConfig& config);
  void set_tls(const ClientTls& tls, const HttpUrl& url);
  void set_proxy(const ProxyConfig& proxy, const HttpUrl& url);

  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle_;
  CURLcode code_ = CURLE_OK;
  Headers headers_, elsewhere_;
  Received received_;
  std::array<char, CURL_ERROR_SIZE> said_{};
};

void Request::ask(const std::string& url, std::chrono::milliseconds patience) {
  set_text(CURLOPT_URL, url);
  set_text(CURLOPT_PROTOCOLS_STR, "http,https");
  set_text(CURLOPT_USERAGENT, "tcpdiag/" + std::string(version()));
  headers_.add("Accept: application/json");
  // else GnuTLS ends the connection with a reset, which the daemon would count
  headers_.add("Connection: close");
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(patience.count()));
  set(CURLOPT_QUICK_EXIT, 1L);  // a resolver that does not answer is not waited for
  set(CURLOPT_WRITEFUNCTION, &take_body);
  set(CURLOPT_WRITEDATA, &received_);
  set(CURLOPT_HEADERFUNCTION, &take_header);
  set(CURLOPT_HEADERDATA, &received_);
  set(CURLOPT_ERRORBUFFER, said_.data());
}

void Request::as_said_by(const HttpConfig& config, const HttpUrl& url) {
  identify(config);
  set_tls(config.tls, url);
  set_proxy(config.proxy, url);
  set(CURLOPT_HTTP_VERSION,
      static_cast<long>(config.enable_http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  constexpr long kMostRedirects = 10;  // as in Go
  set(CURLOPT_FOLLOWLOCATION, config.follow_redirects ? 1L : 0L);
  set(CURLOPT_MAXREDIRS, kMostRedirects);
  set_text(CURLOPT_REDIR_PROTOCOLS_STR, url.tls ? "https" : "http,https");
}

void Request::identify(const HttpConfig& config) {
  if (const auto& auth = config.basic_auth) {
    set(CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
    set_text(CURLOPT_USERNAME, auth->username.text);
    set_text(CURLOPT_PASSWORD, auth->password.text);
  }
  // libcurl leaves it out where a redirect leads elsewhere
  if (const auto& authorization = config.authorization)
    headers_.add("Authorization: " + authorization->type + " " + authorization->credentials.text);
}

void Request::set_tls(const ClientTls& tls, const HttpUrl& url) {
  const bool newest12 = tls.max_version == TlsVersion::tls12;
  const long oldest =
      tls.min_version == TlsVersion::tls13 ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2;
  set(CURLOPT_SSLVERSION, oldest | (newest12 ? CURL_SSLVERSION_MAX_TLSv1_2 : CURL_SSLVERSION_MAX_DEFAULT));
  if (tls.ca.given()) {
    set_pem(CURLOPT_CAINFO_BLOB, tls.ca.text);
    set(CURLOPT_CAPATH, static_cast<char*>(nullptr));  // instead of the system's, not beside them
  }
  if (tls.cert.given()) {
    set_pem(CURLOPT_SSLCERT_BLOB, tls.cert.text);
    set_pem(CURLOPT_SSLKEY_BLOB, tls.key.text);
    set_text(CURLOPT_KEYPASSWD, "");  // nobody is asked for one
  }
  set(CURLOPT_SSL_VERIFYPEER, tls.insecure_skip_verify ? 0L : 1L);
  set(CURLOPT_SSL_VERIFYHOST, tls.insecure_skip_verify ? 0L : 2L);
  if (tls.server_name.empty() || !url.tls) return;
  elsewhere_.add(authority(as_named(url, tls)) + ":" + authority(url));
  headers_.add("Host: " + authority(url));
}

void Request::set_proxy(const ProxyConfig& proxy, const HttpUrl& url) {
  if (!proxy.url.empty()) {
    set_text(CURLOPT_PROXY, proxy.url);
    set_text(CURLOPT_NOPROXY, proxy.no_proxy);
  } else if (!proxy.from_environment || is_loopback(url.host)) {
    set_text(CURLOPT_PROXY, "");
  }
}

HttpFailure failure_of(const Request& request, CURLcode code) {
  HttpFailure failure{.code = code, .said = request.said()};
  failure.system_error = static_cast<int>(request.info<long>(CURLINFO_OS_ERRNO));
  failure.verify_result = request.info<long>(CURLINFO_SSL_VERIFYRESULT);
  if (request.info<curl_off_t>(CURLINFO_NAMELOOKUP_TIME_T) > 0) failure.reached = Reached::address;
  if (request.info<long>(CURLINFO_LOCAL_PORT) > 0) failure.reached = Reached::host;
  if (request.info<curl_off_t>(CURLINFO_APPCONNECT_TIME_T) > 0) failure.reached = Reached::server;
  const char* last = request.info<const char*>(CURLINFO_EFFECTIVE_URL);
  if (request.info<long>(CURLINFO_REDIRECT_COUNT) > 0 && last != nullptr) failure.redirected_to = last;
  return failure;
}

}  // namespace

Result<HttpAnswer> http_get(const HttpUrl& url, const std::string& path, const HttpConfig& config,
                            std::chrono::milliseconds patience) {
  const Library library;
  if (library.code() != CURLE_OK) return unexpected(Errc::failed, "libcurl cannot be used");
  Request request;
  request.ask(to_string(as_named(url, config.tls)) + path, patience);
  request.as_said_by(config, url);
  const auto code = request.run();
  if (code != CURLE_OK) return tl::unexpected<Error>(to_error(failure_of(request, code), url, config));
  return HttpAnswer{static_cast<int>(request.info<long>(CURLINFO_RESPONSE_CODE)),
                    std::move(request.received().body)};
}

}  // namespace tcpdiag
