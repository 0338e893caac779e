// SPDX-License-Identifier: Apache-2.0
#include "cli/flag_values.h"

#include <optional>
#include <set>
#include <string_view>

#include "core/netns_filter.h"
#include "core/snapshot.h"
#include "core/utf8.h"

namespace tcpdiag {
namespace {

/// Seconds, or a number with a unit; empty when it is neither.
std::optional<std::chrono::duration<double>> to_duration(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (unit.empty() || unit == "s") return std::chrono::duration<double>(number);
  if (unit == "ms") return std::chrono::duration<double, std::milli>(number);
  if (unit == "m") return std::chrono::duration<double, std::ratio<60>>(number);
  if (unit == "h") return std::chrono::duration<double, std::ratio<3600>>(number);
  return std::nullopt;
}

bool is_netns_path(const std::string& text) {
  constexpr std::size_t kLongestPath = 4095;
  return text.size() > 1 && text.size() <= kLongestPath && text.starts_with('/') && is_one_line(text);
}

}  // namespace

FlagSpec netns_flag() { return {std::string(kNetns), true, true}; }

tl::unexpected<Error> refused(std::string line) { return unexpected(Errc::malformed, std::move(line)); }

Result<std::chrono::milliseconds> parse_duration(const std::string& text) {
  using namespace std::chrono_literals;
  const auto duration = to_duration(text);
  if (!duration || !(*duration >= 100ms && *duration <= 24h))  // a NaN is in no range
    return refused("--duration is " + quote(text) +
                   "; allowed: 0.1 to 86400 seconds, or a number with ms, s, m or h such as 500ms or 2m");
  return std::chrono::round<std::chrono::milliseconds>(*duration);
}

Result<std::vector<std::string>> parse_namespaces(const GivenFlags& given) {
  const auto flag = given.find(kNetns);
  if (flag == given.end()) return std::vector<std::string>();
  constexpr std::size_t kMost = 64;
  if (flag->second.size() > kMost)
    return refused(std::string(kNetns) + " is given " + std::to_string(flag->second.size()) +
                   " times; allowed: up to " + std::to_string(kMost));
  std::set<std::string_view> seen;
  for (const auto& name : flag->second) {
    if (!seen.insert(name).second) return refused(std::string(kNetns) + " names " + quote(name) + " twice");
    if (!is_netns_name(name) && !is_netns_path(name))
      return refused(std::string(kNetns) + " is " + quote(name) +
                     "; allowed: a name as tcpdiag namespaces shows it, a pattern such as \"payments/*\", or "
                     "an absolute path such as /proc/PID/ns/net");
  }
  return flag->second;
}

Result<DaemonAddress> parse_daemon(const GivenFlags& given) {
  const auto url = given.find("--url"), config = given.find(kHttpConfigFile);
  if (url == given.end()) {
    if (config == given.end()) return DaemonAddress{};
    return refused(std::string(kHttpConfigFile) + " has no meaning without --url: no daemon is asked");
  }
  for (const auto name : {std::string_view("--duration"), kNetns})
    if (given.contains(name))
      return refused(std::string(name) + " has no meaning with --url: a daemon looks all the time");
  return DaemonAddress{.url = url->second.front(),
                       .http_config_file = config == given.end() ? "" : config->second.front()};
}

Result<std::filesystem::path> parse_directory(const GivenFlags& given, const std::string& command) {
  const auto operands = given.find(kOperands);
  if (operands == given.end() || operands->second.front().empty())
    return refused(command + " needs a directory: tcpdiag " + command + " DIR");
  return operands->second.front();
}

}  // namespace tcpdiag
