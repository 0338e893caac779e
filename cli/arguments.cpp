// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.h"

#include <algorithm>
#include <charconv>

#include "daemon/flags.h"
#include "daemon/nearest_name.h"
#include "daemon/option_table.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kNetns = "--netns";

const std::vector<FlagSpec> kRecordFlags = {
    {"--duration", true}, {std::string(kNetns), true, true}, {"--help"}, {"-h"}};
const std::vector<FlagSpec> kReplayFlags = {{"--format", true}, {"--help"}, {"-h"}};

tl::unexpected<Error> refused(std::string line) { return unexpected(Errc::malformed, std::move(line)); }

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

Result<std::chrono::milliseconds> parse_duration(const std::string& text) {
  using namespace std::chrono_literals;
  const auto duration = to_duration(text);
  if (!duration || !(*duration >= 100ms && *duration <= 24h))  // a NaN is in no range
    return refused("--duration is " + quote(text) +
                   "; allowed: 0.1 to 86400 seconds, or a number with ms, s, m or h such as 500ms or 2m");
  return std::chrono::round<std::chrono::milliseconds>(*duration);
}

/// As the daemon checks its own flag of this name.
Result<std::vector<std::string>> parse_namespaces(const std::vector<std::string>& texts) {
  Options checked;
  for (const auto& row : option_table()) {
    if (row.flag != kNetns) continue;
    if (const auto wrong = set(row, to_value(row, texts), checked))
      return refused(std::string(kNetns) + *wrong);
  }
  return checked.namespaces;
}

Result<std::filesystem::path> directory_of(const GivenFlags& given, const std::string& command) {
  const auto operands = given.find(kOperands);
  if (operands == given.end() || operands->second.front().empty())
    return refused(command + " needs a directory: tcpdiag " + command + " DIR");
  return operands->second.front();
}

Result<Command> parse_record(const GivenFlags& given) {
  const auto directory = directory_of(given, "record");
  if (!directory) return tl::unexpected<Error>(directory.error());
  RecordOptions options{.directory = *directory};
  if (const auto flag = given.find("--duration"); flag != given.end()) {
    const auto duration = parse_duration(flag->second.front());
    if (!duration) return tl::unexpected<Error>(duration.error());
    options.duration = *duration;
  }
  if (const auto flag = given.find(kNetns); flag != given.end()) {
    auto namespaces = parse_namespaces(flag->second);
    if (!namespaces) return tl::unexpected<Error>(namespaces.error());
    options.namespaces = std::move(*namespaces);
  }
  return options;
}

Result<Command> parse_replay(const GivenFlags& given) {
  const auto directory = directory_of(given, "replay");
  if (!directory) return tl::unexpected<Error>(directory.error());
  const auto flag = given.find("--format");
  const auto format = flag == given.end() ? "json" : flag->second.front();
  if (format != "json" && format != "metrics")
    return refused("--format is " + quote(format) + "; allowed: json or metrics");
  return ReplayOptions{*directory, format == "metrics"};
}

/// What stands where a command is expected and is none.
tl::unexpected<Error> unknown_word(const std::string& word) {
  const bool flag = word.starts_with('-');
  const std::vector<std::string> known =
      flag ? std::vector<std::string>{"--help", "--version"} : std::vector<std::string>{"record", "replay"};
  return refused((flag ? "unknown flag " : "unknown command ") + quote(word) + did_you_mean(word, known));
}

}  // namespace

Result<Command> parse_arguments(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return refused("no command; allowed: record, replay");
  const auto& command = arguments.front();
  if (command == "--help" || command == "-h") return ShowHelp{};
  if (command == "--version") return ShowVersion{};
  const bool record = command == "record";
  if (!record && command != "replay") return unknown_word(command);

  constexpr std::size_t kDirectory = 1;
  const auto given =
      parse_flags({arguments.begin() + 1, arguments.end()}, record ? kRecordFlags : kReplayFlags, kDirectory);
  if (!given) return tl::unexpected<Error>(given.error());
  if (given->contains("--help") || given->contains("-h")) return ShowHelp{};
  return record ? parse_record(*given) : parse_replay(*given);
}

std::string usage() {
  return R"(Usage: tcpdiag record DIR [--duration=TIME] [--netns=NETNS]...
       tcpdiag replay DIR [--format=FORMAT]
       tcpdiag --help | --version
Asks the kernel why TCP connections fail.

  record DIR
      Write down what the collectors read, to be replayed elsewhere. DIR is made; it must not exist or be empty.
  --duration=TIME
      How long to record, in seconds, or with a unit such as 500ms, 10s or 2m. Default: 30.
  --netns=NETNS
      A network namespace to record beside the program's own: a name under /run/netns, or a path.
      May be given several times.

  replay DIR
      Run the collectors on a recording and show what was known at its end.
  --format=FORMAT
      json, as /api/v1/report, or metrics, as /metrics. Default: json.
)";
}

}  // namespace tcpdiag
