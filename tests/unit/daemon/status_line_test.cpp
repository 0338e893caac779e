// SPDX-License-Identifier: Apache-2.0
#include "daemon/status_line.h"

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

Incident incident(Severity severity, const std::string& id) {
  Incident result;
  result.finding.id = id;
  result.finding.severity = severity;
  result.finding.subject.kind = SubjectKind::netns;
  return result;
}

CollectorRun run(const std::string& collector, Result<void> outcome) {
  return {.collector = collector, .outcome = std::move(outcome)};
}

}  // namespace

TEST_CASE("a healthy host's status is short") { CHECK(status_line({}) == "no findings"); }

TEST_CASE("the status counts open findings and names the worst") {
  Report report;
  report.incidents.push_back(incident(Severity::critical, "accept-queue-full"));
  const auto subject = to_string(report.incidents.front().finding.subject);
  CHECK(status_line(report) == "1 finding: critical accept-queue-full " + subject);
  report.incidents.push_back(incident(Severity::warning, "time-wait-overflow"));
  report.incidents.push_back(incident(Severity::warning, "resets"));
  report.incidents.back().closed = Moment{};
  CHECK(status_line(report) == "2 findings, the worst: critical accept-queue-full " + subject);
}

TEST_CASE("the status names each collector that fails once, and none that has not run yet") {
  Report report;
  const Result<void> denied = unexpected(Errc::denied, "/dev/kmsg: Operation not permitted");
  report.runs = {run("netstat", {}), run("kernel_log", denied), run("listeners", denied),
                 run("listeners", denied), run("self", unexpected(Errc::not_read, ""))};
  CHECK(status_line(report) == "no findings; failing: kernel_log, listeners");
}
