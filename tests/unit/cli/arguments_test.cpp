// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.h"

#include <sstream>

#include "cli/check.h"
#include "cli/connections.h"
#include "cli/explain.h"
#include "cli/fds.h"
#include "cli/listeners.h"
#include "cli/namespaces.h"
#include "cli/record.h"
#include "cli/replay.h"
#include "cli/sysctl.h"
#include "tests/catch.h"

using namespace tcpdiag;
using namespace std::chrono_literals;

namespace {

using Arguments = std::vector<std::string>;

std::string complaint(const Arguments& arguments) {
  const auto command = parse_arguments(arguments);
  REQUIRE_FALSE(command);
  const auto& line = command.error().detail;
  CHECK(line.find('\n') == std::string::npos);
  return line;
}

/// What the command is given; fails the test when it is another command.
template <class Options>
Options options_of(const Arguments& arguments) {
  const auto action = parse_arguments(arguments);
  REQUIRE(action);
  const auto* run = action->target<Run<Options>>();
  REQUIRE(run != nullptr);
  return run->options;
}

RecordOptions recording(Arguments arguments) {
  arguments.insert(arguments.begin(), {"record", "d"});
  return options_of<RecordOptions>(arguments);
}

}  // namespace

TEST_CASE("record takes a directory, a duration and namespaces, in any order") {
  const auto plain = recording({});
  CHECK(plain.directory == "d");
  CHECK(plain.duration == 30s);
  CHECK(plain.namespaces.empty());
  CHECK(recording({"--netns", "blue", "--netns=/proc/7/ns/net"}).namespaces ==
        Arguments{"blue", "/proc/7/ns/net"});
  const auto flags_first = options_of<RecordOptions>({"record", "--duration", "2", "d"});
  CHECK(flags_first.duration == 2s);
}

TEST_CASE("a duration is seconds or has a unit") {
  CHECK(recording({"--duration=10"}).duration == 10s);
  CHECK(recording({"--duration=0.5"}).duration == 500ms);
  CHECK(recording({"--duration=10s"}).duration == 10s);
  CHECK(recording({"--duration=500ms"}).duration == 500ms);
  CHECK(recording({"--duration=2m"}).duration == 2min);
  CHECK(recording({"--duration=24h"}).duration == 24h);
}

TEST_CASE("a duration that is none, not finite or out of range is named with what is allowed") {
  for (const auto* bad : {"nan", "-nan", "inf", "nans", "1e400", "-1", "0", "0.09", "99ms", "86401", "25h",
                          "1d", "10 s", "s", "0x10", "ten"}) {
    CHECK(complaint({"record", "d", "--duration", bad}) ==
          "--duration is \"" + std::string(bad) +
              "\"; allowed: 0.1 to 86400 seconds, or a number with ms, s, m or h such as 500ms or 2m");
  }
  CHECK(complaint({"record", "d", "--duration="}) == "--duration needs a value");
  CHECK(complaint({"record", "d", "--duration"}) == "--duration needs a value");
  CHECK(complaint({"record", "d", "--duration=1", "--duration=2"}) == "--duration is given more than once");
}

TEST_CASE("namespaces are names as they are shown, patterns and paths") {
  for (const auto* bad : {"a\nb", "a\"b", "/"})
    CHECK_THAT(complaint({"record", "d", "--netns", bad}),
               ContainsSubstring("; allowed: a name as tcpdiag namespaces shows it, a pattern such as "));
  CHECK(recording({"--netns=payments/*", "--netns=host"}).namespaces == Arguments{"payments/*", "host"});
  CHECK(complaint({"record", "d", "--netns", "a", "--netns", "a"}) == "--netns names \"a\" twice");
}

TEST_CASE("check looks for as long as it needs unless it is given a time") {
  const auto options = options_of<CheckOptions>({"check"});
  CHECK_FALSE(options.duration);
  CHECK_FALSE(options.json);
  CHECK_FALSE(options.brief);
  CHECK_FALSE(options.policy.critical_only);
  CHECK(options.policy.ignored_unknown.empty());
  CHECK(options.daemon.url.empty());
  CHECK(options.namespaces.empty());
  const auto full = options_of<CheckOptions>({"check", "--json", "--duration=1m", "--netns=a", "--netns=b"});
  CHECK(full.duration == 60s);
  CHECK(full.json);
  CHECK(full.namespaces == Arguments{"a", "b"});
}

TEST_CASE("check takes what shall count for its exit status") {
  const auto options =
      options_of<CheckOptions>({"check", "--brief", "--critical-only", "--ignore-unknown=kernel_log",
                                "--ignore-unknown", "conntrack-full-elsewhere"});
  CHECK(options.brief);
  CHECK(options.policy.critical_only);
  CHECK(options.policy.ignored_unknown == Arguments{"kernel_log", "conntrack-full-elsewhere"});
  CHECK(complaint({"check", "--ignore-unknown=kernel-log"}) ==
        "--ignore-unknown is \"kernel-log\"; allowed: a finding (tcpdiag explain lists them) or a collector; "
        "did you mean \"kernel_log\"?");
  CHECK(complaint({"check", "--brief", "--json"}) == "--brief has no meaning with --json");
}

TEST_CASE("check asks a daemon, which looks all the time and at what it was told to") {
  const auto command = options_of<CheckOptions>({"check", "--url=http://db1:10180", "--json"});
  CHECK(command.daemon.url == "http://db1:10180");
  CHECK(complaint({"check", "--url=http://a", "--duration=1"}) ==
        "--duration has no meaning with --url: a daemon looks all the time");
  CHECK(complaint({"check", "--netns=a", "--url=http://a"}) ==
        "--netns has no meaning with --url: a daemon looks all the time");
  CHECK(complaint({"check", "--url="}) == "--url needs a value");
  CHECK(complaint({"check", "--http.config.file=a"}) ==
        "--http.config.file has no meaning without --url: no daemon is asked");
  const auto secured =
      options_of<CheckOptions>({"check", "--url", "https://a", "--http.config.file", "http.yml"});
  CHECK(secured.daemon.http_config_file == "http.yml");
  CHECK(complaint({"check", "x"}) == "unexpected argument \"x\"");
}

TEST_CASE("replay takes a directory and a format") {
  const auto json = options_of<ReplayOptions>({"replay", "d"});
  CHECK(json.directory == "d");
  CHECK_FALSE(json.metrics);
  const auto metrics = options_of<ReplayOptions>({"replay", "--format=metrics", "d"});
  CHECK(metrics.metrics);
  CHECK(complaint({"replay", "d", "--format=a\nb"}) == "--format is \"a\\nb\"; allowed: json or metrics");
}

TEST_CASE("a word of the command line that is not known is named in one line, with the nearest one") {
  CHECK(complaint({"recrod", "x"}) == "unknown command \"recrod\"; did you mean \"record\"?");
  CHECK(
      complaint({"start"}) ==
      "unknown command \"start\"; allowed: check, listeners, connections, fds, sysctl, namespaces, explain, record, "
      "replay");
  CHECK(
      complaint({""}) ==
      "unknown command \"\"; allowed: check, listeners, connections, fds, sysctl, namespaces, explain, record, replay");
  CHECK(complaint({"--foo"}) == "unknown flag \"--foo\"; allowed: --help, --version");
  CHECK(complaint({"--hepl"}) == "unknown flag \"--hepl\"; did you mean \"--help\"?");
  CHECK(complaint({"record", "--foo", "d"}) == "unknown flag \"--foo\"; --help shows the known ones");
  CHECK(complaint({"record", "--durations=5", "d"}) ==
        "unknown flag \"--durations\"; did you mean \"--duration\"?");
  CHECK(complaint({"replay", "--netns=a", "d"}) == "unknown flag \"--netns\"; --help shows the known ones");
  CHECK(complaint({"record", "d", "e"}) == "unexpected argument \"e\"");
  CHECK(complaint({"record", "d", "replay", "e"}) == "unexpected argument \"replay\"");
  CHECK(complaint({"record"}) == "record needs a directory: tcpdiag record DIR");
  CHECK(complaint({"replay", ""}) == "replay needs a directory: tcpdiag replay DIR");
  CHECK(
      complaint({}) ==
      "no command; allowed: check, listeners, connections, fds, sysctl, namespaces, explain, record, replay");
}

TEST_CASE("listeners, connections and fds take what narrows them down") {
  const auto listeners = options_of<ListenersOptions>({"listeners", "--netns", "blue", "--json"});
  CHECK(listeners.namespaces == Arguments{"blue"});
  CHECK(listeners.json);
  CHECK_FALSE(options_of<ListenersOptions>({"listeners"}).json);

  const auto connections = options_of<ConnectionsOptions>({"connections", "--port=443", "--netns=blue"});
  CHECK(connections.port == 443);
  CHECK(connections.namespaces == Arguments{"blue"});
  CHECK_FALSE(options_of<ConnectionsOptions>({"connections"}).port);

  CHECK(options_of<FdsOptions>({"fds", "812", "--json"}).pid == 812);
  CHECK_FALSE(options_of<FdsOptions>({"fds"}).pid);
}

TEST_CASE("sysctl shows, or judges when it is asked to") {
  const auto plain = options_of<SysctlOptions>({"sysctl", "--netns=blue"});
  CHECK_FALSE(plain.lint);
  CHECK(plain.namespaces == Arguments{"blue"});
  const auto lint = options_of<SysctlOptions>({"sysctl", "--lint", "--json"});
  CHECK(lint.lint);
  CHECK(lint.json);
  CHECK(complaint({"sysctl", "net.core.somaxconn"}) == "unexpected argument \"net.core.somaxconn\"");
}

TEST_CASE("explain takes a finding, names the nearest one to a word that is none, or takes nothing") {
  const auto one = options_of<ExplainOptions>({"explain", "conntrack-full"});
  REQUIRE(one.rule != nullptr);
  CHECK(one.rule->info.id == "conntrack-full");
  CHECK(options_of<ExplainOptions>({"explain"}).rule == nullptr);
  CHECK(complaint({"explain", "contrack-full"}) ==
        "unknown finding \"contrack-full\"; did you mean \"conntrack-full\"?");
  CHECK(complaint({"explain", "syn-flood"}) ==
        "unknown finding \"syn-flood\"; did you mean \"syn-flood-suspected\"?");
  CHECK(complaint({"explain", "why"}) == "unknown finding \"why\"; tcpdiag explain lists all");
  CHECK(complaint({"explain", "a", "b"}) == "unexpected argument \"b\"");
}

TEST_CASE("a port and a process are numbers in their range") {
  for (const auto* bad : {"0", "65536", "-1", "http", "80 ", "0x50", "99999999999999999999"})
    CHECK(complaint({"connections", "--port", bad}) ==
          "--port is \"" + std::string(bad) + "\"; allowed: 1 to 65535");
  for (const auto* bad : {"0", "2147483648", "nginx", "1.5"})
    CHECK(complaint({"fds", bad}) == "PID is \"" + std::string(bad) + "\"; allowed: 1 to 2147483647");
  CHECK(complaint({"fds", "1", "--netns=shop"}) == "--netns has no meaning with a PID");
  CHECK(options_of<FdsOptions>({"fds", "--netns=shop"}).namespaces == Arguments{"shop"});
  CHECK(complaint({"fds", "1", "2"}) == "unexpected argument \"2\"");
  CHECK(complaint({"listeners", "x"}) == "unexpected argument \"x\"");
  CHECK(options_of<ListenersOptions>({"listeners"}).namespaces.empty());
  CHECK(options_of<ListenersOptions>({"listeners", "--netns=host"}).namespaces == Arguments{"host"});
}

TEST_CASE("namespaces asks a daemon, or looks for as long as it is told to") {
  const auto plain = options_of<NamespacesOptions>({"namespaces"});
  CHECK_FALSE(plain.duration);
  CHECK(plain.daemon.url.empty());
  CHECK(options_of<NamespacesOptions>({"namespaces", "--duration=5", "--json"}).duration == 5s);
  CHECK(options_of<NamespacesOptions>({"namespaces", "--url=http://a"}).daemon.url == "http://a");
  CHECK(complaint({"namespaces", "--url=http://a", "--duration=1"}) ==
        "--duration has no meaning with --url: a daemon looks all the time");
}

TEST_CASE("the text of help fits on a terminal and has every command") {
  std::istringstream lines(usage());
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    CHECK(line.size() <= 100);
  }
  for (const auto& command : command_specs())
    CHECK_THAT(usage(), ContainsSubstring("tcpdiag " + std::string(command.name) + " "));
}

TEST_CASE("help and version are asked for before or behind a command") {
  for (const Arguments& asked : {Arguments{"--help"}, {"-h"}, {"record", "--help"}, {"replay", "d", "-h"}}) {
    options_of<ShowHelp>(asked);
  }
  options_of<ShowVersion>({"--version"});
  CHECK_THAT(usage(), ContainsSubstring("tcpdiag record DIR"));
}
