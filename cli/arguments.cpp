// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <span>

#include "collectors/catalog.h"
#include "daemon/flags.h"
#include "daemon/nearest_name.h"
#include "daemon/option_table.h"
#include "diagnosis/catalog.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kNetns = "--netns";
constexpr std::string_view kHttpConfigFile = "--http.config.file";
constexpr std::string_view kIgnoreUnknown = "--ignore-unknown";

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

/// A whole number from 1 to the type's largest.
template <class Number>
Result<Number> parse_number(const std::string& name, const std::string& text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 1)
    return refused(name + " is " + quote(text) + "; allowed: 1 to " +
                   std::to_string(std::numeric_limits<Number>::max()));
  return number;
}

/// The namespaces that were given, checked as the daemon checks its own flag of this name.
Result<std::vector<std::string>> parse_namespaces(const GivenFlags& given) {
  const auto flag = given.find(kNetns);
  if (flag == given.end()) return std::vector<std::string>();
  Options checked;
  for (const auto& row : option_table()) {
    if (row.flag != kNetns) continue;
    if (const auto wrong = set(row, to_value(row, flag->second), checked))
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

/// Of each rule its id, and every collector: what --ignore-unknown may name.
std::vector<std::string> what_may_be_unknown() {
  std::vector<std::string> names;
  for (const auto& rule : rule_catalog()) names.emplace_back(rule.info.id);
  for (const auto& collector : collector_catalog()) names.emplace_back(collector.name);
  return names;
}

Result<CheckPolicy> parse_policy(const GivenFlags& given) {
  CheckPolicy policy{.critical_only = given.contains("--critical-only")};
  const auto flag = given.find(kIgnoreUnknown);
  if (flag == given.end()) return policy;
  const auto known = what_may_be_unknown();
  for (const auto& name : flag->second)
    if (std::ranges::find(known, name) == known.end())
      return refused(std::string(kIgnoreUnknown) + " is " + quote(name) +
                     "; allowed: a finding (tcpdiag explain lists them) or a collector" +
                     did_you_mean(name, known));
  policy.ignored_unknown = flag->second;
  return policy;
}

Result<Command> parse_check(const GivenFlags& given) {
  const auto policy = parse_policy(given);
  if (!policy) return tl::unexpected<Error>(policy.error());
  CheckOptions options{
      .policy = *policy, .json = given.contains("--json"), .brief = given.contains("--brief")};
  if (options.json && options.brief) return refused("--brief has no meaning with --json");
  const auto config = given.find(kHttpConfigFile);
  if (const auto flag = given.find("--url"); flag != given.end()) {
    for (const auto name : {std::string_view("--duration"), kNetns})
      if (given.contains(name))
        return refused(std::string(name) + " has no meaning with --url: a daemon looks all the time");
    options.url = flag->second.front();
    if (config != given.end()) options.http_config_file = config->second.front();
    return options;
  }
  if (config != given.end())
    return refused(std::string(kHttpConfigFile) + " has no meaning without --url: no daemon is asked");
  if (const auto flag = given.find("--duration"); flag != given.end()) {
    const auto duration = parse_duration(flag->second.front());
    if (!duration) return tl::unexpected<Error>(duration.error());
    options.duration = *duration;
  }
  auto namespaces = parse_namespaces(given);
  if (!namespaces) return tl::unexpected<Error>(namespaces.error());
  options.namespaces = std::move(*namespaces);
  return options;
}

Result<Command> parse_listeners(const GivenFlags& given) {
  return parse_namespaces(given).map([&](const std::vector<std::string>& namespaces) -> Command {
    return ListenersOptions{.namespaces = namespaces, .json = given.contains("--json")};
  });
}

Result<Command> parse_connections(const GivenFlags& given) {
  ConnectionsOptions options{.json = given.contains("--json")};
  if (const auto flag = given.find("--port"); flag != given.end()) {
    const auto port = parse_number<std::uint16_t>("--port", flag->second.front());
    if (!port) return tl::unexpected<Error>(port.error());
    options.port = *port;
  }
  auto namespaces = parse_namespaces(given);
  if (!namespaces) return tl::unexpected<Error>(namespaces.error());
  options.namespaces = std::move(*namespaces);
  return options;
}

Result<Command> parse_fds(const GivenFlags& given) {
  FdsOptions options{.json = given.contains("--json")};
  if (const auto operands = given.find(kOperands); operands != given.end()) {
    const auto pid = parse_number<std::int32_t>("PID", operands->second.front());
    if (!pid) return tl::unexpected<Error>(pid.error());
    options.pid = *pid;
  }
  return options;
}

Result<Command> parse_sysctl_command(const GivenFlags& given) {
  return parse_namespaces(given).map([&](const std::vector<std::string>& namespaces) -> Command {
    return SysctlOptions{
        .namespaces = namespaces, .lint = given.contains("--lint"), .json = given.contains("--json")};
  });
}

Result<Command> parse_explain(const GivenFlags& given) {
  const auto operands = given.find(kOperands);
  if (operands == given.end()) return ExplainOptions{};
  const auto& id = operands->second.front();
  if (const auto* rule = find_rule(id)) return ExplainOptions{rule};
  std::vector<std::string> ids;
  for (const auto& rule : rule_catalog()) ids.emplace_back(rule.info.id);
  auto meant = std::string(nearest_name(id, ids));
  const auto begins_so = [&](const std::string& known) { return !id.empty() && known.starts_with(id); };
  const auto longer = std::ranges::find_if(ids, begins_so);
  if (meant.empty() && longer != ids.end()) meant = *longer;
  return refused("unknown finding " + quote(id) +
                 (meant.empty() ? "; tcpdiag explain lists all" : "; did you mean " + quote(meant) + "?"));
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
  auto namespaces = parse_namespaces(given);
  if (!namespaces) return tl::unexpected<Error>(namespaces.error());
  options.namespaces = std::move(*namespaces);
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

/// A command: how it is written, and what it takes.
struct CommandSpec {
  std::string_view name;
  std::string_view synopsis;    // behind the name
  std::vector<FlagSpec> flags;  // without those that every command has
  std::size_t operands;
  Result<Command> (*parse)(const GivenFlags& given);
  std::string_view help;  // of --help, indented
};

// A new command is one row here, one function above, and one in main.cpp.
const std::vector<CommandSpec>& commands() {
  const FlagSpec netns{std::string(kNetns), true, true};
  const FlagSpec json{"--json"};
  static const std::vector<CommandSpec> kCommands = {
      {"check",
       " [--duration=TIME] [--url=URL [--http.config.file=FILE]] [--netns=NETNS]... [--brief] "
       "[--critical-only]"
       " [--ignore-unknown=NAME]... [--json]",
       {{"--duration", true},
        {"--url", true},
        {std::string(kHttpConfigFile), true},
        {"--brief"},
        {"--critical-only"},
        {std::string(kIgnoreUnknown), true, true},
        netns,
        json},
       0,
       parse_check,
       R"(      Look at this host and say which TCP limits bite, how that is known, and what to do about it.
      Exit status: 0 nothing is found, 1 a warning, 2 something critical; 3 wrong usage, it cannot
      look, or nothing else is found and it cannot tell about something that could be critical.
      Findings of severity info do not count.
  --duration=TIME
      How long to look, in seconds, or with a unit such as 500ms, 10s or 2m. Default: 12, and up
      to 30 when it sees the beginning of something. If the time does not suffice to tell a queue
      that stands from one that passes, it says so and exits with 3.
  --brief
      One line for each finding: severity, process, port, cause and first action.
  --critical-only
      A warning does not count for the exit status.
  --ignore-unknown=NAME
      What is unknown about this finding, or because of this collector, does not count for
      the exit status: conntrack-full-elsewhere or kernel_log, for example. May be given several
      times.
  --url=URL
      Ask the daemon there instead, for example http://localhost:10180 or https://db1:10180.
  --http.config.file=FILE
      With --url: a name and a password, a client certificate, a CA that the system does not know,
      a proxy, in the format that promtool and amtool read. See web-security.md in
      /usr/share/doc/tcpdiagd.
)"},
      {"listeners",
       " [--netns=NETNS]... [--json]",
       {netns, json},
       0,
       parse_listeners,
       R"(      Look for a second and show the accept queues, the fullest first.
      QUEUE: connections that wait in the fullest queue of the address, and how many may; one more
      is taken. PEAK: the most within that second. DROPS: segments dropped since the sockets were
      made. HALF-OPEN: handshakes under way.
)"},
      {"connections",
       " [--port=N] [--netns=NETNS]... [--json]",
       {{"--port", true}, netns, json},
       0,
       parse_connections,
       R"(      Look for a second and show the connections by service port and state, those not yet
      accepted (UNACCEPTED), how long the oldest one is in CLOSE_WAIT at least (OLDEST), and which
      destinations use most ephemeral ports.
  --port=N
      Only those with this service port, and more about them: the peers of those that wait longest
      in CLOSE_WAIT, and which process holds them as which descriptor (FD).
)"},
      {"fds",
       " [PID] [--json]",
       {json},
       1,
       parse_fds,
       R"(      Show the processes that use most of their limit of open files; with PID, what that process has
      open, and in which states its TCP sockets are.
)"},
      {"sysctl",
       " [--lint] [--netns=NETNS]... [--json]",
       {{"--lint"}, netns, json},
       0,
       parse_sysctl_command,
       R"(      Show the settings of the kernel that matter to TCP, what each does, whether it belongs to the
      network namespace (netns) or the machine, and which file sets it.
  --lint
      Say instead what is wrong with them: settings that do harm, lines of sysctl.d without effect,
      limits that cannot be given. Exit status: 0 nothing but infos, 1 a warning, 3 it cannot tell.
)"},
      {"explain",
       " [FINDING]",
       {},
       1,
       parse_explain,
       R"(      Say what a finding means: when it is true, what clients see, what to do, what does not help.
      Without FINDING list all of them.
)"},
      {"record",
       " DIR [--duration=TIME] [--netns=NETNS]...",
       {{"--duration", true}, netns},
       1,
       parse_record,
       R"(      Write down what the collectors read, to be replayed elsewhere. DIR is made; it must not
      exist or be empty.
  --duration=TIME
      How long to record, in seconds, or with a unit such as 500ms, 10s or 2m. Default: 30.
)"},
      {"replay",
       " DIR [--format=FORMAT]",
       {{"--format", true}},
       1,
       parse_replay,
       R"(      Run the collectors on a recording and show what was known at its end.
  --format=FORMAT
      json, as /api/v1/report, or metrics, as /metrics. Default: json.
)"},
  };
  return kCommands;
}

std::vector<std::string> command_names() {
  std::vector<std::string> names;
  for (const auto& command : commands()) names.emplace_back(command.name);
  return names;
}

/// What stands where a command is expected and is none.
tl::unexpected<Error> unknown_word(const std::string& word) {
  const bool flag = word.starts_with('-');
  const auto known = flag ? std::vector<std::string>{"--help", "--version"} : command_names();
  return refused((flag ? "unknown flag " : "unknown command ") + quote(word) + did_you_mean(word, known));
}

constexpr std::string_view kSharedFlags = R"(  --netns=NETNS
      A network namespace to look at beside the program's own: a name under /run/netns, or a path.
      May be given several times.
  --json
      JSON as the daemon's API has it, for programs.
)";

constexpr std::string_view kExitStatus =
    R"(Exit status of the others: 0 when what was asked for is known, 1 when it could not be read, 2 for a
mistake on the command line.
)";

/// A synopsis on lines that fit a terminal.
std::string wrapped(std::string line) {
  constexpr std::size_t kWidth = 100;
  if (line.size() > kWidth) line.insert(line.rfind(" [", kWidth), "\n" + std::string(20, ' '));
  return line;
}

std::string listed(const std::vector<std::string>& names) {
  std::string list;
  for (const auto& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

}  // namespace

Result<Command> parse_arguments(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return refused("no command; allowed: " + listed(command_names()));
  const auto& word = arguments.front();
  if (word == "--help" || word == "-h") return ShowHelp{};
  if (word == "--version") return ShowVersion{};
  const auto command = std::ranges::find(commands(), word, &CommandSpec::name);
  if (command == commands().end()) return unknown_word(word);

  auto flags = command->flags;
  flags.insert(flags.end(), {{"--help"}, {"-h"}});
  const auto given = parse_flags({arguments.begin() + 1, arguments.end()}, flags, command->operands);
  if (!given) return tl::unexpected<Error>(given.error());
  if (given->contains("--help") || given->contains("-h")) return ShowHelp{};
  return command->parse(*given);
}

std::vector<CommandView> command_views() {
  std::vector<CommandView> views;
  for (const auto& command : commands())
    views.push_back({command.name, command.synopsis, command.flags, command.help});
  return views;
}

std::string usage() {
  std::string synopses, descriptions;
  for (const auto& command : commands()) {
    const auto line = std::string(command.name) + std::string(command.synopsis);
    synopses += wrapped((synopses.empty() ? "Usage: tcpdiag " : "       tcpdiag ") + line) + "\n";
    descriptions += "\n  " + std::string(command.name) + "\n" + std::string(command.help);
  }
  return synopses + "       tcpdiag --help | --version\nAsks the kernel why TCP connections fail.\n" +
         descriptions + "\n" + std::string(kSharedFlags) + "\n" + std::string(kExitStatus);
}

std::string_view shared_flags_help() { return kSharedFlags; }

}  // namespace tcpdiag
