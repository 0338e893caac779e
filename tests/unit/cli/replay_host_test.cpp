// SPDX-License-Identifier: Apache-2.0
// The limits of the first network namespace, which no namespace of a test has: from recordings made by hand.
#include "cli/replay.h"
#include "tests/catch.h"

using namespace tcpdiag;

namespace {

Report replayed(const std::string& recording) {
  auto report = replay(std::string(TCPDIAG_SOURCE_DIR) + "/tests/recordings/" + recording);
  REQUIRE(report);
  return *report;
}

/// Seconds from the beginning of the recording until the incident opened.
double opened_after(const Incident& incident) {
  constexpr std::chrono::seconds kBegin{5000};  // "started_monotonic_ns" of all of them
  return std::chrono::duration<double>(incident.opened.at - TimePoint(kBegin)).count();
}

/// The one incident of the recording, which is still open at its end.
Incident only_incident(const std::string& recording) {
  const auto report = replayed(recording);
  REQUIRE(report.incidents.size() == 1);
  CHECK(report.incidents.front().is_open());
  return report.incidents.front();
}

}  // namespace

TEST_CASE("the replay of packets dropped by a CPU names the CPU, and no drop of before the recording") {
  const auto incident = only_incident("softnet-drops");
  CHECK(incident.finding.id == "softnet-drops");
  CHECK(opened_after(incident) == 4);
  CHECK(incident.finding.summary ==
        "1900 received packets were dropped in 8 s, 100 % of them on CPU 1: its input queue was full "
        "(net.core.netdev_max_backlog is 1000).");
}

TEST_CASE("the replay of a full connection tracking table finds it when it is full, not by an old log line") {
  const auto incident = only_incident("conntrack-full");
  CHECK(incident.finding.id == "conntrack-full");
  CHECK(incident.finding.severity == Severity::critical);
  CHECK(opened_after(incident) == 5);
  CHECK(incident.finding.summary ==
        "Connection tracking is full: 65536 entries of 65536; 2400 packets dropped in 12 s; 1310 connections "
        "thrown out to make room.");
}

TEST_CASE("the replay of a full table in another namespace names that namespace") {
  const auto incident = only_incident("conntrack-full-elsewhere");
  CHECK(incident.finding.id == "conntrack-full-elsewhere");
  CHECK(opened_after(incident) == 5);  // the line comes at 2.6 s, the tables are read again at 5 s
  CHECK_THAT(incident.finding.summary, ContainsSubstring("inode 4026532177"));
}

TEST_CASE("the replay of TCP that runs out of memory warns at the pressure mark and ends critical") {
  const auto incident = only_incident("tcp-memory-pressure");
  CHECK(incident.finding.id == "tcp-memory-pressure");
  CHECK(incident.finding.severity == Severity::critical);
  CHECK(opened_after(incident) == 3);
  CHECK(incident.finding.summary ==
        "TCP is short of memory: its buffers took 2.2 GiB, pressure begins at 1.5 GiB and the limit is 2.2 "
        "GiB (net.ipv4.tcp_mem); memory pressure began once in 8 s; 54 connections reset for lack of memory; "
        "the kernel logged once that it is out of memory.");
}

TEST_CASE("the replay of an overflowing table of neighbours takes only the lines that are new") {
  const auto incident = only_incident("neighbour-table-overflow");
  CHECK(incident.finding.id == "neighbour-table-overflow");
  CHECK(opened_after(incident) == 3);
  CHECK_THAT(incident.finding.summary,
             ContainsSubstring("logged 2 times in 6 s that the table of IPv4 (ARP)"));
}

TEST_CASE("what is no incident of the host leaves its rules silent") {
  for (const auto* recording : {"accept-queue-overflow", "syn-flood"})
    for (const auto& incident : replayed(recording).incidents) {
      INFO(incident.finding.id);
      CHECK(incident.finding.subject.kind != SubjectKind::host);
    }
}
