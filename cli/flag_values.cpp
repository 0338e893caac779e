// SPDX-License-Identifier: Apache-2.0
#include "cli/flag_values.h"

#include <optional>

#include "daemon/option_table.h"

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
  auto names = flag->second;
  std::erase(names, kHostNetns);  // that one is looked at in any case
  Options checked;
  for (const auto& row : option_table()) {
    if (row.flag != kNetns) continue;
    if (const auto wrong = set(row, to_value(row, names), checked))
      return refused(std::string(kNetns) + *wrong);
  }
  return checked.namespaces;
}

Result<std::filesystem::path> parse_directory(const GivenFlags& given, const std::string& command) {
  const auto operands = given.find(kOperands);
  if (operands == given.end() || operands->second.front().empty())
    return refused(command + " needs a directory: tcpdiag " + command + " DIR");
  return operands->second.front();
}

}  // namespace tcpdiag
