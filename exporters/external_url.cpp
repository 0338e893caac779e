// SPDX-License-Identifier: Apache-2.0
#include "exporters/external_url.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "core/text.h"
#include "exporters/allowed_hosts.h"

namespace tcpdiag {
namespace {

constexpr std::size_t kLongest = 512;

/// Takes the scheme off; empty: it has another one, or none.
std::optional<std::string_view> behind_scheme(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"})
    if (text.starts_with(scheme)) return text.substr(scheme.size());
  return std::nullopt;
}

std::string_view authority_of(std::string_view behind_scheme) {
  return behind_scheme.substr(0, behind_scheme.find('/'));
}

std::string_view host_in(std::string_view authority) {
  const auto bracket = authority.starts_with('[') ? authority.find(']') : std::string_view::npos;
  if (bracket != std::string_view::npos) return authority.substr(0, bracket + 1);
  return authority.substr(0, authority.find(':'));
}

bool is_path_character(char c) {
  constexpr std::string_view kOthers = "/-._~%!$&*+,;=:@";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kOthers.find(c) != std::string_view::npos;
}

bool is_port(std::string_view text) {
  if (text.empty()) return true;  // there is none
  const auto number = text.front() == ':' ? to_number<std::uint16_t>(text.substr(1)) : std::nullopt;
  return number && *number != 0;
}

}  // namespace

bool is_external_url(std::string_view text) {
  const auto rest = behind_scheme(text);
  if (!rest || text.size() > kLongest) return false;
  const auto authority = authority_of(*rest);
  const auto host = host_in(authority);
  const bool is_address = host.starts_with('[') && is_address_in_brackets(host);
  const bool is_name = !host.starts_with("*.") && is_allowed_host_name(host);
  return (is_address || is_name) && is_port(authority.substr(host.size())) &&
         std::ranges::all_of(rest->substr(authority.size()), is_path_character);
}

std::string_view host_of(std::string_view external_url) {
  const auto rest = behind_scheme(external_url);
  return rest ? host_in(authority_of(*rest)) : std::string_view();
}

std::string with_slash(std::string_view external_url) {
  std::string url(external_url);
  if (!url.empty() && !url.ends_with('/')) url += '/';
  return url;
}

}  // namespace tcpdiag
