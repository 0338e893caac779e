// SPDX-License-Identifier: Apache-2.0
#include "collectors/netstat.h"

#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/text.h"

namespace tcpdiag {
namespace {

constexpr auto kSnmp = "/proc/net/snmp", kNetstat = "/proc/net/netstat";

using Names = std::unordered_map<std::string_view, TcpCounter>;

// The counters of a group by the kernel's name: a file has more than a hundred, and is read every second.
const Names& names_of(std::string_view group) {
  static const auto kGroups = [] {
    std::map<std::string_view, Names> groups;
    for (const auto& field : tcp_counter_table()) {
      const auto end = field.kernel_name.find(':') + 1;
      groups[field.kernel_name.substr(0, end)].emplace(field.kernel_name.substr(end), field.member);
    }
    return groups;
  }();
  static const Names kNone;
  const auto found = kGroups.find(group);
  return found == kGroups.end() ? kNone : found->second;
}

bool is_tcp(std::string_view group) { return group == "Tcp:" || group == "TcpExt:"; }

// The others are read for a few counters beside those of TCP: a value of theirs that is none costs only
// itself.
bool is_ours(std::string_view group) {
  return is_tcp(group) || group == "Ip:" || group == "IpExt:" || group == "Icmp:";
}

bool is_one_line_of_names(std::string_view text) {
  return text.starts_with("TcpExt: ") && text.find('\n') == text.size() - 1;
}

Result<void> parse_into(std::string_view where, std::string_view text, TcpCounters& counters) {
  const auto malformed = [&](std::string_view what) {
    return unexpected(Errc::malformed, std::string(where) + ": " + std::string(what));
  };
  if (!text.ends_with('\n')) return malformed("cut off: no newline at its end");
  bool found = false;
  while (!text.empty()) {  // each group is two lines: names, then values
    auto names_left = next_line(text);
    auto values_left = next_line(text);
    const auto group = next_word(names_left);
    if (group.empty() || group != next_word(values_left))
      return malformed("a line of names without its values");
    if (!is_ours(group)) continue;
    found = found || is_tcp(group);
    const auto& names = names_of(group);
    for (auto name = next_word(names_left); !name.empty(); name = next_word(names_left)) {
      const auto word = next_word(values_left);
      if (group == "Tcp:" && name == "MaxConn") continue;  // -1: no limit
      const auto value = to_number<std::uint64_t>(word);
      if (!value && !is_tcp(group)) continue;
      if (!value) return malformed("bad value '" + std::string(word) + "' for " + std::string(name));
      if (const auto known = names.find(name); known != names.end()) counters.*known->second = value;
    }
    if (is_tcp(group) && !next_word(values_left).empty())
      return malformed("more values than names in " + std::string(group));
  }
  if (!found) return malformed("no TCP counters in it");
  return {};
}

}  // namespace

Result<TcpCounters> parse_tcp_counters(std::string_view snmp, std::string_view netstat) {
  TcpCounters counters;
  if (auto parsed = parse_into(kSnmp, snmp, counters); !parsed) return tl::unexpected<Error>(parsed.error());
  if (is_one_line_of_names(netstat)) return counters;
  if (auto parsed = parse_into(kNetstat, netstat, counters); !parsed)
    return tl::unexpected<Error>(parsed.error());
  return counters;
}

Result<TcpCounters> read_tcp_counters(Source& source) {
  const auto snmp = source.read(kSnmp);
  if (!snmp) return tl::unexpected<Error>(snmp.error());
  const auto netstat = source.read(kNetstat);
  if (!netstat) return tl::unexpected<Error>(netstat.error());
  return parse_tcp_counters(*snmp, *netstat);
}

Result<TcpCounters> TcpCountersReader::operator()(const Reading& reading) {
  auto counters = read(reading);
  if (!counters) read_at_.reset();
  return counters;
}

Result<TcpCounters> TcpCountersReader::read(const Reading& reading) {
  auto snmp = reading.source.read(kSnmp);
  const auto generation = reading.source.generation();
  if (generation != std::exchange(generation_, generation)) {  // another namespace's
    counters_.clear();
    read_at_.reset();
  }
  if (!snmp) return tl::unexpected<Error>(snmp.error());
  if (reading.may_rest && read_at_ &&
      reading.now - *read_at_ < longest_rest(kLongestRest, reading.netns_id) && *snmp == snmp_)
    return latest_;
  const auto netstat = reading.source.read(kNetstat);
  if (!netstat) return tl::unexpected<Error>(netstat.error());
  auto counters = parse_tcp_counters(*snmp, *netstat);
  if (!counters) return counters;
  const auto table = tcp_counter_table();
  counters_.resize(table.size());
  for (std::size_t i = 0; i < table.size(); ++i)
    if (auto& value = *counters.*table[i].member) value = counters_[i].advance(*value);
  snmp_ = std::move(*snmp);
  read_at_ = reading.now;
  latest_ = *counters;
  return counters;
}

}  // namespace tcpdiag
