// SPDX-License-Identifier: Apache-2.0
// The alerts about findings: all of them, and with their words.
#include "tests/reference/findings_alerts.h"

#include <fstream>
#include <iterator>
#include <string>

#include "diagnosis/catalog.h"
#include "diagnosis/words.h"
#include "tests/catch.h"
#include "tests/golden.h"

using namespace tcpdiag;

namespace {

/// What is written by hand: what stands before the part that is made.
std::string written_part_of(const std::string& file, std::string_view made_part) {
  std::ifstream stream(std::string(TCPDIAG_SOURCE_DIR "/") + file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  return text.substr(0, text.find(made_part));
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the alerts about findings are made from the rules") {
  const std::string file = "monitoring/prometheus/alerts.yml";
  check_committed(file, written_part_of(file, kFindingsAlertsBegin) + findings_alerts(catalogue()));
}

TEST_CASE("what Alertmanager keeps silent is made from the rules") {
  const std::string file = "monitoring/prometheus/alertmanager.example.yml";
  check_committed(file, written_part_of(file, kFindingsInhibitionsBegin) + findings_inhibitions(catalogue()));
}

TEST_CASE("an alert about what follows is silent while the cause fires on the same subject") {
  const auto rules = findings_inhibitions(catalogue());
  CHECK(contains(rules,
                 "  - source_matchers: ['finding=\"fd-limit-reached\"']\n"
                 "    target_matchers: ['finding=~\"fd-limit-near\"']\n"
                 "    equal: [job, instance, netns, subject]\n"));
  // and so is what follows from that
  CHECK(contains(rules,
                 "  - source_matchers: ['finding=\"ephemeral-ports-exhausted\"']\n"
                 "    target_matchers: ['finding=~\"connection-churn|ephemeral-ports-low\"']\n"));
}

TEST_CASE("no finding silences its own alert, nor an alert one that has none") {
  const auto rules = findings_inhibitions(catalogue());
  for (const auto& rule : rule_catalog()) {
    INFO(rule.info.id);
    const auto at = rules.find("['finding=\"" + std::string(rule.info.id) + "\"']");
    if (at == std::string::npos) continue;
    CHECK(rule.info.severity != Severity::info);
    const auto target =
        rules.substr(rules.find("finding=~", at), rules.find('\n', rules.find("finding=~", at)));
    const auto own = target.substr(0, target.find('\n'));
    for (const auto* around : {"\"", "|"})
      for (const auto* behind : {"\"", "|"})
        CHECK_FALSE(contains(own, around + std::string(rule.info.id) + behind));
  }
}

TEST_CASE("a finding has an alert of its own exactly when it is a warning or critical") {
  const auto alerts = findings_alerts(catalogue());
  for (const auto& rule : rule_catalog()) {
    INFO(rule.info.id);
    const auto own = contains(alerts, "- alert: " + alert_name(rule.info.id) + "\n");
    CHECK(own == (rule.info.severity != Severity::info));
    if (own)
      CHECK(contains(
          alerts, "docs: /usr/share/doc/tcpdiagd/reference/findings.md#" + std::string(rule.info.id) + "\n"));
  }
}

TEST_CASE("the name of an alert is the finding's id in capitals") {
  CHECK(alert_name("accept-queue-app-stalled") == "TcpdiagAcceptQueueAppStalled");
  CHECK(alert_name("fin-wait2-high") == "TcpdiagFinWait2High");
}

TEST_CASE("an alert's text has no place that is left to be filled in by the reader") {
  const auto alerts = findings_alerts(catalogue());
  for (const auto* name :
       {"OWNER", "PROCESS", "PID", "PORT", "LISTENER", "DESTINATION", "ADDRESS", "UNIT", "LIMIT",
        "NEW_BACKLOG", "SERVER_KNOB", "MOST", "BUCKETS", "LINE", "FILE", "MEANT"}) {
    INFO(name);
    for (const auto* before : {" ", "-p ", ":", "["})
      CHECK_FALSE(contains(alerts, before + std::string(name) + " "));
    CHECK_FALSE(contains(alerts, "<" + std::string(name)));
  }
  CHECK_FALSE(contains(alerts, "True when"));
}

TEST_CASE("what an alert says of every case needs no value of one") {
  for (const auto& rule : rule_catalog()) {
    INFO(rule.info.id);
    CHECK(can_fill_in(rule.info.title, {}));
    CHECK(can_fill_in(rule.info.clients_see, {}));
  }
}

TEST_CASE("an alert's command has the pid and the port of the case, and is left out without them") {
  const auto alerts = findings_alerts(catalogue());
  CHECK(contains(alerts, "cat /proc/{{ $pid }}/stack"));
  CHECK(contains(alerts, "{{ if $pid }}"));
  CHECK_FALSE(contains(alerts, "-p  "));
}

TEST_CASE("an alert leads to the daemon's page, at the place of the finding") {
  const auto alerts = findings_alerts(catalogue());
  CHECK(contains(alerts, "tcpdiag_web_info"));
  CHECK(contains(alerts, "{{ $page }}#accept-queue-app-stalled'\n"));
}
