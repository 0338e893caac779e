// SPDX-License-Identifier: Apache-2.0
#include "cli/report_part.h"

#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/sample_report.h"

using namespace tcpdiag;

TEST_CASE("a part of the report is as in the whole one") {
  const auto json = nlohmann::json::parse(part_of_report(sample_report(), {"listeners"}, {"files"}));
  CHECK(json.size() == 5);
  CHECK(json["generated_at"] == "2026-01-02T03:04:05.678Z");
  CHECK(json["namespaces"][0].size() == 2);
  CHECK(json["namespaces"][0]["listeners"]["endpoints"].size() == 2);
  CHECK(json["namespaces"][1]["listeners"]["error"]["code"] == "denied");
  CHECK(json["files"]["open"] == 3000);
  CHECK(json["collectors"].size() == 4);
}

TEST_CASE("a part without namespaces has none, and what the report lacks stays out") {
  const auto json = nlohmann::json::parse(part_of_report(sample_report(), {}, {"processes", "nonsense"}));
  CHECK_FALSE(json.contains("namespaces"));
  CHECK_FALSE(json.contains("nonsense"));
  CHECK(json["processes"]["total"] == 120);
}
