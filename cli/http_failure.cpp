// SPDX-License-Identifier: Apache-2.0
#include "cli/http_failure.h"

#include <curl/curl.h>

#include <algorithm>
#include <initializer_list>
#include <system_error>

namespace tcpdiag {
namespace {

/// What to do so that the file has these keys.
std::string set_keys(const std::string& keys, const HttpConfig& config) {
  if (config.name.empty()) return "name a file with --http.config.file that has " + keys;
  return "add " + keys + " to " + config.name;
}

/// Behind what the proxy may be to blame for as well.
std::string maybe_proxy(const HttpConfig& config) {
  const bool proxy = config.proxy.from_environment || !config.proxy.url.empty();
  return proxy ? ", perhaps by the proxy that " + config.name + " names" : "";
}

bool says_one_of(const std::string& said, std::initializer_list<const char*> words) {
  return std::ranges::any_of(words, [&](const char* word) { return said.find(word) != std::string::npos; });
}

std::string why_not_trusted(const HttpFailure& failure, const HttpUrl& url, const HttpConfig& config) {
  constexpr long kNotYetValid = 9, kExpired = 10;  // of openssl/x509_vfy.h
  if (failure.verify_result == kExpired) return "the server's certificate has expired; it needs a new one";
  if (failure.verify_result == kNotYetValid)
    return "the server's certificate is not valid yet; are both clocks right?";
  if (says_one_of(failure.said, {"subject name"})) {
    const auto& name = config.tls.server_name.empty() ? url.host : config.tls.server_name;
    return "the server's certificate is not for the name " + name + "; use a name that it has, or " +
           set_keys("tls_config.server_name", config);
  }
  const auto colon = failure.said.rfind(": ");  // behind "SSL certificate problem"
  const auto said = " (" + (colon == std::string::npos ? failure.said : failure.said.substr(colon + 2)) + ")";
  if (config.tls.ca.given())
    return "the server's certificate is not signed by the CA of " + config.name + said;
  return "the server's certificate is not signed by a CA that this system trusts" + said + "; " +
         set_keys("tls_config.ca_file", config);
}

/// The handshake failed, or the server ended the connection behind it, as it does with clients that it does
/// not take.
std::string why_no_tls(const HttpFailure& failure, const HttpConfig& config) {
  const auto& said = failure.said;
  if (says_one_of(said, {"wrong version number", "packet length too long", "http request"}))
    return "it does not speak TLS; use http://";
  if (says_one_of(said, {"alert protocol version", "unsupported protocol"}))
    return "it speaks no TLS version that is allowed: 1.2 and 1.3, or what min_version and max_version say";
  auto words = said.empty() ? "" : " (" + said.substr(0, said.find_last_not_of(' ') + 1) + ")";
  if (config.tls.min_version || config.tls.max_version)
    words += ", perhaps because of min_version or max_version";
  if (config.tls.cert.given())
    return "it ended the connection" + words + "; it may not take the client certificate of " + config.name;
  const auto plain = failure.code == CURLE_SSL_CONNECT_ERROR ? "; use http:// if it does not speak TLS" : "";
  return "it ended the connection" + words + plain + "; if it wants a client certificate, " +
         set_keys("tls_config.cert_file and key_file", config);
}

std::string why_too_late(Reached reached, bool tls) {
  switch (reached) {
    case Reached::nothing: return "the name was not resolved in time";
    case Reached::address: return "no connection in time; are its packets dropped on the way?";
    case Reached::host: return tls ? "no TLS handshake in time" : "no answer in time";
    case Reached::server: break;
  }
  return "no answer in time";
}

std::string system_text(const HttpFailure& failure) {
  if (failure.system_error == 0) return failure.said;
  return std::system_category().message(failure.system_error);
}

std::string why(const HttpFailure& failure, const HttpUrl& url, const HttpConfig& config) {
  constexpr int kTooLarge = 100;  // CURLE_TOO_LARGE, which headers before 8.6 do not have
  const bool tls = url.tls || failure.redirected_to.starts_with("https:");
  switch (failure.code) {
    case CURLE_COULDNT_RESOLVE_HOST: return "no such host is known";
    case CURLE_COULDNT_RESOLVE_PROXY:
      return "the host of the proxy that " + config.name + " names is not known";
    case CURLE_COULDNT_CONNECT: return system_text(failure) + maybe_proxy(config);
    case CURLE_PROXY: return "the proxy that " + config.name + " names does not connect: " + failure.said;
    case CURLE_OPERATION_TIMEDOUT: return why_too_late(failure.reached, tls);
    case CURLE_PEER_FAILED_VERIFICATION: return why_not_trusted(failure, url, config);
    case CURLE_SSL_CONNECT_ERROR: return why_no_tls(failure, config);
    case CURLE_GOT_NOTHING: return tls ? why_no_tls({}, config) : "no answer; if it speaks TLS, use https://";
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR: return tls ? why_no_tls(failure, config) : system_text(failure);
    case CURLE_SSL_CACERT_BADFILE:
      if (config.tls.ca.given()) return "ca or ca_file of " + config.name + " holds no certificate";
      return "this system has no CA certificates; install ca-certificates, or " +
             set_keys("tls_config.ca_file", config);
    case CURLE_SSL_CERTPROBLEM:
      return "the client certificate and key of " + config.name +
             " cannot be used: they are not PEM, no pair, or the key has a passphrase";
    case CURLE_UNSUPPORTED_PROTOCOL:
      return failure.redirected_to.empty() ? "the answer is not HTTP" : "this is not followed";
    case CURLE_WEIRD_SERVER_REPLY: return "the answer is not HTTP";
    case CURLE_PARTIAL_FILE: return "the answer ends early";
    case kTooLarge:
    case CURLE_WRITE_ERROR: return "the answer is too large";
    case CURLE_OUT_OF_MEMORY: return "the answer is too large, or memory is short";
    case CURLE_TOO_MANY_REDIRECTS: return "it redirects again and again";
    default: break;
  }
  return failure.said.empty() ? curl_easy_strerror(static_cast<CURLcode>(failure.code)) : failure.said;
}

}  // namespace

Error to_error(const HttpFailure& failure, const HttpUrl& url, const HttpConfig& config) {
  const auto code = failure.code == CURLE_OPERATION_TIMEDOUT ? Errc::timed_out : Errc::failed;
  const auto via = failure.redirected_to.empty() ? "" : "redirects to " + failure.redirected_to + ": ";
  return {code, authority(url) + ": " + via + why(failure, url, config)};
}

std::string advice_about(int status, const HttpConfig& config) {
  constexpr int kUnauthorized = 401, kForbidden = 403, kNotFound = 404, kProxyAuthentication = 407;
  constexpr int kTooMany = 429, kUnavailable = 503;
  if (status >= 300 && status < 400 && !config.follow_redirects)
    return "follow_redirects is false in " + config.name;
  switch (status) {
    case kUnauthorized:
      if (config.basic_auth) return "the username or the password of " + config.name + " is wrong";
      if (config.authorization) return "it rejects the authorization of " + config.name;
      return set_keys("basic_auth", config);
    case kForbidden: return "this answer is not tcpdiagd's own; ask those who run what is in front of it";
    case kNotFound: return "there is no tcpdiagd at this URL; is it right?";
    case kProxyAuthentication: return "put name and password into the proxy_url of " + config.name;
    case kTooMany: return "its rate limit is reached; ask again later";
    case kUnavailable: return "it has just started, or is busy; ask again in a few seconds";
    default: return {};
  }
}

}  // namespace tcpdiag
