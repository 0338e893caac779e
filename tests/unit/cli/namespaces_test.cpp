// SPDX-License-Identifier: Apache-2.0
#include "cli/namespaces.h"

#include <sstream>

#include "core/facts/netns_list.h"
#include "tests/catch.h"
#include "tests/sample_report.h"

using namespace tcpdiag;

namespace {

NetnsOverview overview_of(const Report& report) {
  const auto overview = parse_namespaces_answer(netns_json_text(report));
  REQUIRE(overview);
  return *overview;
}

NetnsSummary watched(const std::string& name) {
  return {.name = name, .kind = NetnsKind::docker, .state = NetnsState::watched, .pid = 4194304};
}

std::string row_of(NetnsSummary netns) {
  const auto text = namespaces_text({.namespaces = {std::move(netns)}}, {});
  return text.substr(text.find('\n') + 1);
}

}  // namespace

TEST_CASE("namespaces are shown with what is in them, as far as that is known") {
  CHECK(
      namespaces_text(overview_of(sample_report()), {}) ==
      "NAME                    KIND         PID  PROCS  LISTENERS  CONNS  WORST FINDING\n"
      "host                    host           1    120          2    226  critical accept-queue-app-stalled\n"
      "blue                    docker      4711      5          ?      ?  warning ephemeral-ports-low\n"
      "payments/checkout-7d9f  kubernetes  5120      3          ?      ?  may not be entered\n"
      "Namespaces of 1 process are not known: that takes root or CAP_SYS_PTRACE.\n");
}

TEST_CASE("a namespace that is not looked into says why") {
  auto netns = watched("shop");
  CHECK_THAT(row_of(netns), ContainsSubstring("  -\n"));
  netns.cannot_tell = true;
  CHECK_THAT(row_of(netns), ContainsSubstring("  cannot tell\n"));
  netns.worst = WorstFinding{.severity = Severity::warning, .id = "reset-by-peer"};
  CHECK_THAT(row_of(netns), ContainsSubstring("  warning reset-by-peer\n"));
  netns.state = NetnsState::denied;
  CHECK_THAT(row_of(netns), ContainsSubstring("  warning reset-by-peer\n"));
  netns.worst.reset();
  CHECK_THAT(row_of(netns), ContainsSubstring("  may not be entered\n"));
  netns.state = NetnsState::excluded;
  CHECK_THAT(row_of(netns), ContainsSubstring("  excluded\n"));
  netns.state = NetnsState::too_many;
  CHECK_THAT(row_of(netns), ContainsSubstring("  not watched: too many\n"));
  netns.state = NetnsState::soon;
  CHECK_THAT(row_of(netns), ContainsSubstring("  too new\n"));
}

TEST_CASE("the table of namespaces fits a terminal, whatever they are called") {
  auto netns = watched("payments/" + std::string(120, 'x') + "\x1b[31m\n\xe2\x80\xae");
  netns.processes = 100'000;
  netns.listeners = 16'000;
  netns.connections = 1'000'000;
  netns.worst = WorstFinding{.severity = Severity::critical, .id = "accept-queue-backlog-small"};
  const auto text = namespaces_text({.namespaces = {std::move(netns)}}, {});
  CHECK_THAT(text, ContainsSubstring("critical accept-queue-backlog-small\n"));
  std::istringstream lines(text);
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) CHECK(columns_of(line) <= 100);
  CHECK(count == 2);
  CHECK(text.find('\x1b') == std::string::npos);
}

TEST_CASE("what is left out of the list of namespaces is counted") {
  CHECK_THAT(namespaces_text({.namespaces = {watched("shop")}, .cut = 2}, {}),
             ContainsSubstring("\nAnd 2 more namespaces.\n"));
}

TEST_CASE("a list of namespaces that is not known is an error, not an empty one") {
  const auto overview = parse_namespaces_answer(netns_json_text(Report{}));
  REQUIRE_FALSE(overview);
  CHECK(overview.error().detail == "not read yet");
}

TEST_CASE("an answer about namespaces that is not as documented is refused") {
  CHECK(parse_namespaces_answer("x").error().detail == "not JSON");
  CHECK(parse_namespaces_answer("[]").error().detail == "the answer: not an object");
  CHECK(parse_namespaces_answer("{}").error().detail == "namespaces: missing");
  CHECK(parse_namespaces_answer(R"({"namespaces": [{"name": 1}]})").error().detail ==
        "namespaces[0].name: not a text");
  CHECK(parse_namespaces_answer(std::string(100, '[')).error().detail == "nested too deeply");
  CHECK(parse_namespaces_answer(R"({"error": {"code": "denied", "detail": "/proc: no"}})").error().detail ==
        "/proc: no");
}
