// SPDX-License-Identifier: Apache-2.0
// The alerts about findings: all of them, and with their words.
#include "diagnosis/findings_alerts.h"

#include <fstream>
#include <iterator>
#include <string>

#include "diagnosis/catalog.h"
#include "tests/catch.h"
#include "tests/golden.h"

using namespace tcpdiag;

namespace {

/// What is written by hand: what stands before the part that is made.
std::string written_part_of(const std::string& file) {
  std::ifstream stream(std::string(TCPDIAG_SOURCE_DIR "/") + file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  return text.substr(0, text.find(kFindingsAlertsBegin));
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the alerts about findings are made from the rules") {
  const std::string file = "monitoring/prometheus/alerts.yml";
  check_committed(file, written_part_of(file) + findings_alerts());
}

TEST_CASE("a finding has an alert of its own exactly when it is a warning or critical") {
  const auto alerts = findings_alerts();
  for (const auto& rule : rule_catalog()) {
    INFO(rule.info.id);
    const auto own = contains(alerts, "- alert: " + alert_name(rule.info.id) + "\n");
    CHECK(own == (rule.info.severity != Severity::info));
    if (own) CHECK(contains(alerts, "docs: docs/reference/findings.md#" + std::string(rule.info.id) + "\n"));
  }
}

TEST_CASE("the name of an alert is the finding's id in capitals") {
  CHECK(alert_name("accept-queue-app-stalled") == "TcpdiagAcceptQueueAppStalled");
  CHECK(alert_name("fin-wait2-high") == "TcpdiagFinWait2High");
}

TEST_CASE("an alert's text has no names where only a case has values") {
  const auto alerts = findings_alerts();
  for (const auto* name :
       {"LIMIT", "NEW_BACKLOG", "SERVER_KNOB", "MOST", "BUCKETS", "LINE", "FILE", "MEANT"}) {
    INFO(name);
    CHECK_FALSE(contains(alerts, " " + std::string(name)));
  }
}
