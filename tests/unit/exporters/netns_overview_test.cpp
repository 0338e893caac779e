// SPDX-License-Identifier: Apache-2.0
#include "exporters/netns_overview.h"

#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/sample_report.h"

using namespace tcpdiag;
using Json = nlohmann::json;
using namespace std::chrono_literals;

namespace {

Report with_states(NetnsState state, std::size_t count) {
  Report report;
  NetnsList list{.namespaces = {{.name = "host", .kind = NetnsKind::host}}};
  for (std::size_t i = 1; i <= count; ++i)
    list.namespaces.push_back({.generation = i, .name = "c" + std::to_string(i), .state = state});
  report.snapshot.netns_list.value = std::make_shared<const NetnsList>(std::move(list));
  return report;
}

}  // namespace

TEST_CASE("each namespace has the worst that is found in it, and the host what is the machine's") {
  auto report = sample_report();
  auto overview = netns_overview(report);
  REQUIRE(overview);
  REQUIRE(overview->namespaces.size() == 3);
  const auto& host = overview->namespaces[0];
  REQUIRE(host.worst);
  CHECK(host.worst->id == "accept-queue-app-stalled");
  CHECK(host.findings == 2);
  CHECK(host.cannot_tell);
  CHECK(host.listeners == 2);
  const auto& blue = overview->namespaces[1];
  CHECK(blue.kind == NetnsKind::docker);
  CHECK_FALSE(blue.listeners);

  auto incident = report.incidents[0];
  incident.finding.netns = "blue";
  incident.finding.severity = Severity::warning;
  report.incidents = {incident};
  overview = netns_overview(report);
  REQUIRE(overview->namespaces[1].worst);
  CHECK(overview->namespaces[1].worst->severity == Severity::warning);
  CHECK_FALSE(overview->namespaces[0].worst);
}

TEST_CASE("what is past, or over, is not the worst in a namespace") {
  auto report = sample_report();
  for (auto& incident : report.incidents) incident.seen.at = report.at - 1h;
  CHECK(netns_overview(report)->namespaces[0].findings <= 1);  // one that cannot be judged goes on
  for (auto& incident : report.incidents) incident.closed = incident.seen;
  CHECK_FALSE(netns_overview(report)->namespaces[0].worst);
}

TEST_CASE("a namespace in which not everything was looked at is too new to be called healthy") {
  auto report = sample_report();
  report.incidents.clear();
  report.runs = {{.collector = "listeners", .netns = "blue"}};
  CHECK(netns_overview(report)->namespaces[1].state == NetnsState::soon);
  report.runs[0].outcome = {};
  CHECK(netns_overview(report)->namespaces[1].state == NetnsState::watched);
}

TEST_CASE("only what is critical makes a namespace one of which it cannot be told") {
  auto report = sample_report();
  for (auto& rule : report.rules) rule.severity = Severity::warning;
  const auto overview = netns_overview(report);
  for (const auto& netns : overview->namespaces) CHECK_FALSE(netns.cannot_tell);
}

TEST_CASE("namespaces that are not watched are counted by reason, the first are named") {
  CHECK(netns_left_out(with_states(NetnsState::watched, 3)).empty());
  CHECK(netns_left_out(Report{}).empty());
  const auto left_out = netns_left_out(with_states(NetnsState::excluded, 12));
  REQUIRE(left_out.size() == 1);
  CHECK(left_out[0].why == NetnsState::excluded);
  CHECK(left_out[0].count == 12);
  CHECK(left_out[0].names.size() == NetnsLeftOut::kNamed);
}

TEST_CASE("namespaces as JSON leave out what is not known, and say why there is no list") {
  const auto json = Json::parse(netns_json_text(sample_report()));
  REQUIRE(json["namespaces"].size() == 3);
  CHECK(json["namespaces"][0]["worst"] ==
        Json({{"severity", "critical"}, {"id", "accept-queue-app-stalled"}}));
  CHECK_FALSE(json["namespaces"][1].contains("listeners"));
  CHECK(json["unreadable"] == 1);
  CHECK(Json::parse(netns_json_text(Report{}))["error"]["detail"] == "not read yet");
}

TEST_CASE("hostile names of namespaces stay JSON") {
  CHECK_FALSE(Json::parse(netns_json_text(hostile_report()), nullptr, false).is_discarded());
}
