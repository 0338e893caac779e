// SPDX-License-Identifier: Apache-2.0
#include "cli/http_url.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "core/text.h"
#include "daemon/option_value.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kAllowed = "allowed: http://HOST:PORT or https://HOST:PORT";

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string in_url(const std::string& host) {
  return host.find(':') != std::string::npos ? "[" + host + "]" : host;
}

/// libcurl's view of a URL.
class ParsedUrl {
 public:
  explicit ParsedUrl(std::string_view text, unsigned flags = 0)
      : url_(curl_url(), &curl_url_cleanup),
        code_(curl_url_set(url_.get(), CURLUPART_URL, std::string(text).c_str(), flags)) {}

  [[nodiscard]] CURLUcode code() const { return code_; }

  /// Empty: there is none.
  [[nodiscard]] std::string part(CURLUPart part, unsigned flags = 0) const {
    char* found = nullptr;
    if (code_ != CURLUE_OK || curl_url_get(url_.get(), part, &found, flags) != CURLUE_OK) return {};
    const std::unique_ptr<char, decltype(&curl_free)> owned(found, &curl_free);
    return found;
  }

  /// Without brackets.
  [[nodiscard]] std::string host() const {
    auto host = part(CURLUPART_HOST);
    if (!host.starts_with('[')) return host;
    const auto zone = part(CURLUPART_ZONEID);
    return host.substr(1, host.size() - 2) + (zone.empty() ? "" : "%" + zone);
  }

 private:
  std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url_;
  CURLUcode code_;
};

std::string why_refused(CURLUcode code) {
  switch (code) {
    case CURLUE_BAD_PORT_NUMBER: return "its port is not a number from 1 to 65535";
    case CURLUE_NO_HOST:
    case CURLUE_BAD_HOSTNAME:
    case CURLUE_BAD_IPV6: return "it names no host";
    default: return std::string(kAllowed);
  }
}

/// "http://" and no further slash.
bool begins_with(std::string_view text, std::string_view scheme) {
  return text.starts_with(scheme) && !text.substr(scheme.size()).starts_with('/');
}

}  // namespace

Result<HttpUrl> parse_http_url(std::string_view text) {
  // what it is, is not shown: there is a password in it
  if (text.find('@') != std::string_view::npos)
    return unexpected(Errc::malformed,
                      "--url has a user name in it, and ps shows it to everyone; put it in a file, with "
                      "--http.config.file and basic_auth");
  const auto refused = [&](const std::string& why) {
    return unexpected(Errc::malformed, "--url is " + quote(text) + "; " + why);
  };
  HttpUrl url{.tls = begins_with(text, "https://")};
  if (!(url.tls || begins_with(text, "http://")) || !is_printable(text))
    return refused(std::string(kAllowed));
  if (text.find_first_of("?#") != std::string_view::npos)
    return refused(std::string(kAllowed) + ", without query and fragment");
  const ParsedUrl parsed(text);
  if (parsed.code() != CURLUE_OK) return refused(why_refused(parsed.code()));
  url.host = parsed.host();
  if (url.host.empty()) return refused(why_refused(CURLUE_NO_HOST));
  const auto port = to_number<std::uint16_t>(parsed.part(CURLUPART_PORT, CURLU_DEFAULT_PORT));
  if (!port || *port == 0) return refused(why_refused(CURLUE_BAD_PORT_NUMBER));
  url.port = *port;
  url.path = parsed.part(CURLUPART_PATH);
  if (!url.path.ends_with('/')) url.path += '/';
  return url;
}

std::string authority(const HttpUrl& url) { return in_url(url.host) + ":" + std::to_string(url.port); }

std::string to_string(const HttpUrl& url) {
  return (url.tls ? "https://" : "http://") + authority(url) + url.path;
}

bool is_host(std::string_view text) {
  if (text.empty() || !is_printable(text) || text.find_first_of("/?#@[]\\") != std::string_view::npos)
    return false;
  return ParsedUrl("https://" + in_url(std::string(text)) + ":1/").host() == text;
}

bool is_proxy_url(std::string_view text) {
  const auto schemes = {"http://", "socks5://", "socks5h://"};
  const bool known =
      std::ranges::any_of(schemes, [&](const char* scheme) { return begins_with(text, scheme); });
  return known && is_printable(text) && !ParsedUrl(text, CURLU_NON_SUPPORT_SCHEME).host().empty();
}

}  // namespace tcpdiag
