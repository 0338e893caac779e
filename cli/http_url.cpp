// SPDX-License-Identifier: Apache-2.0
#include "cli/http_url.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "daemon/option_value.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kScheme = "http://";

/// Empty: it is no port.
std::optional<std::uint16_t> to_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

/// Takes the host off the front; an empty one is none.
std::string_view take_host(std::string_view& rest) {
  const bool bracket = rest.starts_with('[');
  const auto end = bracket ? rest.find(']') : rest.find(':');
  if (bracket && end == std::string_view::npos) return {};
  const auto host = bracket ? rest.substr(1, end - 1) : rest.substr(0, end);
  rest.remove_prefix(std::min(rest.size(), host.size() + (bracket ? 2 : 0)));
  return host;
}

}  // namespace

Result<HttpUrl> parse_http_url(std::string_view text) {
  const auto refused = [&](const std::string& why) {
    return unexpected(Errc::malformed, "--url is " + quote(text) + "; " + why);
  };
  if (text.starts_with("https://")) return refused("HTTPS is not supported, only http://HOST:PORT");
  if (!text.starts_with(kScheme) || !is_printable(text)) return refused("allowed: http://HOST:PORT");
  auto rest = text.substr(kScheme.size());
  if (rest.find_first_of("?#@") != std::string_view::npos)
    return refused("allowed: http://HOST:PORT, without user name, query and fragment");

  HttpUrl url;
  if (const auto slash = rest.find('/'); slash != std::string_view::npos) {
    url.path = rest.substr(slash);
    rest = rest.substr(0, slash);
  }
  if (!url.path.ends_with('/')) url.path += '/';
  url.host = take_host(rest);
  if (url.host.empty()) return refused("it names no host");
  if (rest.empty()) return url;
  const auto port = rest.starts_with(':') ? to_port(rest.substr(1)) : std::nullopt;
  if (!port) return refused("its port is not a number from 1 to 65535");
  url.port = *port;
  return url;
}

std::string authority(const HttpUrl& url) {
  const bool v6 = url.host.find(':') != std::string::npos;
  return (v6 ? "[" + url.host + "]" : url.host) + ":" + std::to_string(url.port);
}

}  // namespace tcpdiag
