// SPDX-License-Identifier: Apache-2.0
#include "exporters/findings_json.h"

#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/golden.h"
#include "tests/sample_report.h"

using namespace tcpdiag;
using Json = nlohmann::json;

namespace {

bool holds_null(const Json& value) {
  if (value.is_null()) return true;
  return value.is_structured() && std::any_of(value.begin(), value.end(), holds_null);
}

}  // namespace

TEST_CASE("findings and incidents as JSON are those that were looked at") {
  check_committed("tests/unit/exporters/findings.golden.json", findings_json_text(sample_report()));
  check_committed("tests/unit/exporters/incidents.golden.json", incidents_json_text(sample_report()));
}

TEST_CASE("findings are the open incidents, and nothing that is over") {
  const auto json = Json::parse(findings_json_text(sample_report()));
  REQUIRE(json["findings"].size() == 3);
  CHECK(json["findings"][0]["id"] == "accept-queue-app-stalled");
  CHECK(json["findings"][0]["since"] == "2026-01-02T03:03:22.678Z");
  CHECK(json["findings"][0]["subject"]["port"] == 80);
  CHECK(json["findings"][0]["docs"] == "reference/findings.md#accept-queue-app-stalled");
  CHECK_FALSE(json["findings"][2].contains("netns"));
  CHECK_FALSE(json["findings"][2].contains("bites"));
}

TEST_CASE("what cannot be told has the severity of what would be found") {
  const auto json = Json::parse(findings_json_text(sample_report()));
  REQUIRE(json["unknown"].size() == 4);
  CHECK(json["unknown"][1] == Json({{"id", "neighbour-table-overflow"},
                                    {"severity", "warning"},
                                    {"why", "/dev/kmsg: Operation not permitted"},
                                    {"code", "denied"},
                                    {"source", "kernel_log"}}));
  CHECK(json["unknown"][3]["netns"] == "blue");
  CHECK(json["unknown"][3]["severity"] == "critical");
}

TEST_CASE("what cannot be told of a part only says so") {
  auto report = sample_report();
  CHECK_FALSE(Json::parse(findings_json_text(report))["unknown"][1].contains("in_part"));
  for (auto& rule : report.rules)
    for (auto& unknown : rule.unknown) unknown.in_part = true;
  CHECK(Json::parse(findings_json_text(report))["unknown"][1]["in_part"] == true);
}

TEST_CASE("numbers are whole where they are whole") {
  const auto finding = Json::parse(findings_json_text(sample_report()))["findings"][0];
  CHECK(finding["evidence"][0]["value"].is_number_integer());
  CHECK(finding["evidence"][0]["window_seconds"] == 30);
  CHECK(finding["evidence"][2]["value"] == 0.9921875);
  CHECK_FALSE(finding["evidence"][2].contains("unit"));
  CHECK_FALSE(finding["evidence"][2].contains("window_seconds"));
}

TEST_CASE("no key is null, and bytes that are not UTF-8 are replaced") {
  for (const auto& report : {sample_report(), report_of_errors(), hostile_report(), Report{}}) {
    CHECK_FALSE(holds_null(Json::parse(findings_json_text(report))));
    CHECK_FALSE(holds_null(Json::parse(incidents_json_text(report))));
    for (const auto& incident : report.incidents) {
      const auto line = finding_json_line(incident);
      CHECK(line.find('\n') == std::string::npos);
      CHECK(Json::parse(line)["id"] == incident.finding.id);
    }
  }
}
