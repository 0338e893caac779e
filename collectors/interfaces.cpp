// SPDX-License-Identifier: Apache-2.0
#include "collectors/interfaces.h"

#include <algorithm>
#include <array>
#include <optional>

#include "core/facts/tcp_counters.h"
#include "core/text.h"

namespace tcpdiag {
namespace {

constexpr auto kFibTrie = "/proc/net/fib_trie";
constexpr auto kIfInet6 = "/proc/net/if_inet6";
constexpr auto kDev = "/proc/net/dev";

tl::unexpected<Error> cut_off(std::string_view path) {
  return unexpected(Errc::malformed, std::string(path) + ": cut off: no newline at its end");
}

std::optional<IpAddress> parse_ipv4(std::string_view text) {
  IpAddress address;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto end = std::min(text.find('.'), text.size());
    const auto byte = to_number<std::uint8_t>(text.substr(0, end));
    if (!byte || (end == text.size()) != (i == 3)) return std::nullopt;
    address.bytes[i] = *byte;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return address;
}

std::optional<IpAddress> parse_hex_ipv6(std::string_view text) {
  IpAddress address{.v6 = true};
  if (text.size() != 2 * address.bytes.size()) return std::nullopt;
  for (std::size_t i = 0; i < address.bytes.size(); ++i) {
    const auto byte = to_number<std::uint8_t>(text.substr(2 * i, 2), 16);
    if (!byte) return std::nullopt;
    address.bytes[i] = *byte;
  }
  return address;
}

// As the kernel allows them (dev_valid_name()), and nothing that leads elsewhere.
bool is_interface_name(std::string_view name) {
  constexpr std::size_t kLongest = 15;
  return !name.empty() && name.size() <= kLongest && name != "." && name != ".." &&
         name.find_first_of(std::string_view("/:\0", 3)) == std::string_view::npos;
}

std::optional<std::int64_t> read_filter(Source& source, const std::string& interface) {
  const auto text = source.read("/proc/sys/net/ipv4/conf/" + interface + "/rp_filter");
  if (!text) return std::nullopt;  // gone since its name was read
  std::string_view rest = *text;
  return to_number<std::int64_t>(next_word(rest));
}

Result<std::vector<ReversePathFilter>> read_filters(Source& source) {
  auto names =
      source.read(kDev).and_then([](const std::string& text) { return parse_interface_names(text); });
  if (!names) return tl::unexpected<Error>(names.error());
  names->insert(names->begin(), "all");
  std::vector<ReversePathFilter> filters;
  for (auto& name : *names) {
    if (filters.size() > Interfaces::kFilters) break;
    if (const auto mode = read_filter(source, name)) filters.push_back({std::move(name), *mode});
  }
  return filters;
}

}  // namespace

Result<std::vector<IpAddress>> parse_fib_trie(std::string_view text) {
  if (!text.empty() && !text.ends_with('\n')) return cut_off(kFibTrie);
  std::vector<IpAddress> addresses;
  std::optional<IpAddress> address;
  while (!text.empty()) {
    auto line = next_line(text);
    const auto word = next_word(line);
    if (word == "|--")
      address = parse_ipv4(next_word(line));
    else if (word == "/32" && address && next_word(line) == "host" && next_word(line) == "LOCAL")
      addresses.push_back(*address);
  }
  return addresses;
}

Result<std::vector<IpAddress>> parse_if_inet6(std::string_view text) {
  if (!text.empty() && !text.ends_with('\n')) return cut_off(kIfInet6);
  std::vector<IpAddress> addresses;
  while (!text.empty()) {
    auto line = next_line(text);
    const auto address = parse_hex_ipv6(next_word(line));
    if (!address) return unexpected(Errc::malformed, std::string(kIfInet6) + ": not an address");
    addresses.push_back(*address);
  }
  return addresses;
}

Result<std::vector<std::string>> parse_interface_names(std::string_view text) {
  if (!text.ends_with('\n')) return cut_off(kDev);
  std::vector<std::string> names;
  for (int heading = 0; heading < 2; ++heading) next_line(text);
  while (!text.empty()) {
    const auto line = next_line(text);
    auto before_colon = line.substr(0, line.find(':'));
    const auto name = next_word(before_colon);
    if (is_interface_name(name)) names.emplace_back(name);
  }
  return names;
}

Result<Interfaces> read_interfaces(Source& source, bool filters) {
  auto addresses =
      source.read(kFibTrie).and_then([](const std::string& text) { return parse_fib_trie(text); });
  // A router's may be longer than any file that is read: then some addresses are not known.
  const bool too_large = !addresses && addresses.error().code == Errc::too_large;
  if (too_large) addresses.emplace();
  if (!addresses) return tl::unexpected<Error>(addresses.error());
  const auto v6 =
      source.read(kIfInet6).and_then([](const std::string& text) { return parse_if_inet6(text); });
  if (!v6 && v6.error().code != Errc::missing) return tl::unexpected<Error>(v6.error());
  if (v6) addresses->insert(addresses->end(), v6->begin(), v6->end());
  std::ranges::sort(*addresses);
  addresses->erase(std::unique(addresses->begin(), addresses->end()), addresses->end());
  Interfaces interfaces{.addresses = std::move(*addresses), .addresses_cut = too_large ? 1U : 0U};
  if (interfaces.addresses.size() > Interfaces::kAddresses) {
    interfaces.addresses_cut += interfaces.addresses.size() - Interfaces::kAddresses;
    interfaces.addresses.resize(Interfaces::kAddresses);
  }
  if (!filters) return interfaces;
  auto read = read_filters(source);
  if (!read) return tl::unexpected<Error>(read.error());
  interfaces.filters = std::move(*read);
  return interfaces;
}

Result<Interfaces> InterfacesReader::operator()(const Reading& reading) const {
  const auto* tcp = reading.netns().tcp.get();
  return read_interfaces(reading.source, tcp != nullptr && tcp->ip_reverse_path_filter.value_or(0) > 0);
}

}  // namespace tcpdiag
