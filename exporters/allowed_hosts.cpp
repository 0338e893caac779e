// SPDX-License-Identifier: Apache-2.0
#include "exporters/allowed_hosts.h"

#include <arpa/inet.h>

#include <algorithm>

namespace tcpdiag {
namespace {

std::string lower(std::string_view text) {
  std::string result(text);
  for (auto& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return result;
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.';
}

bool is_address(int family, std::string_view text) {
  in6_addr address{};  // the longer one
  return inet_pton(family, std::string(text).c_str(), &address) == 1;
}

/// "[::1]:10180", "[fe80::1%25eth0]"
bool begins_with_bracketed_address(std::string_view host) {
  const auto end = host.find(']');
  if (!host.starts_with('[') || end == std::string_view::npos) return false;
  const auto inside = host.substr(1, end - 1);
  const auto behind = host.substr(end + 1);
  return (behind.empty() || behind.starts_with(':')) &&
         is_address(AF_INET6, inside.substr(0, inside.find('%')));
}

/// `name` is `domain` or below it.
bool is_within(std::string_view name, std::string_view domain) {
  return name == domain || (name.size() > domain.size() && name.ends_with(domain) &&
                            name[name.size() - domain.size() - 1] == '.');
}

bool matches(std::string_view name, std::string_view allowed) {
  if (!allowed.starts_with("*.")) return name == allowed;
  const auto domain = allowed.substr(2);
  return name != domain && is_within(name, domain);
}

std::string without_dot_at_end(std::string name) {
  if (name.ends_with('.')) name.pop_back();
  return name;
}

}  // namespace

bool is_allowed_host_name(std::string_view name) {
  constexpr std::size_t kLongestName = 253;
  if (name.starts_with("*.")) name.remove_prefix(2);
  return !name.empty() && name.size() <= kLongestName && !name.starts_with('.') && !name.starts_with('-') &&
         name.find("..") == std::string_view::npos && std::ranges::all_of(name, is_host_character);
}

bool is_address_in_brackets(std::string_view host) {
  return host.ends_with(']') && host.find('%') == std::string_view::npos &&
         begins_with_bracketed_address(host);
}

AllowedHosts::AllowedHosts(std::vector<std::string> names) : names_(std::move(names)) {
  for (auto& name : names_) name = without_dot_at_end(lower(name));
}

bool AllowedHosts::allows(std::string_view host) const {
  if (host.empty() || begins_with_bracketed_address(host)) return true;
  const auto name = without_dot_at_end(lower(host.substr(0, host.find(':'))));
  if (is_address(AF_INET, name) || is_within(name, "localhost")) return true;
  return std::ranges::any_of(names_, [&](const std::string& allowed) { return matches(name, allowed); });
}

}  // namespace tcpdiag
