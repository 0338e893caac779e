// SPDX-License-Identifier: Apache-2.0
#include "exporters/json.h"

#include <nlohmann/json.hpp>

#include "core/facts/connections.h"
#include "core/facts/processes.h"
#include "core/utf8.h"
#include "tests/catch.h"
#include "tests/golden.h"
#include "tests/sample_report.h"

using namespace tcpdiag;
using Json = nlohmann::json;

namespace {

bool holds_null(const Json& value) {
  if (value.is_null()) return true;
  if (!value.is_structured()) return false;
  return std::any_of(value.begin(), value.end(), [](const Json& part) { return holds_null(part); });
}

}  // namespace

TEST_CASE("the report as JSON is the one that was looked at") {
  auto json = nlohmann::ordered_json::parse(to_json_text(sample_report()));
  json["version"] = "VERSION";
  check_committed("tests/unit/exporters/report.golden.json", json.dump(2) + "\n");
}

TEST_CASE("what is known of a namespace stands under its name") {
  const auto json = Json::parse(to_json_text(sample_report()));
  CHECK(json["generated_at"] == "2026-01-02T03:04:05.678Z");
  const auto& host = json["namespaces"][0];
  CHECK(host["name"] == "host");
  CHECK(host["tcp"]["listen_overflows"] == 392);
  CHECK(host["tcp"]["memory_pressures_chrono"] == 1500);
  CHECK_FALSE(host["tcp"].contains("out_rsts"));
  const auto& http = host["listeners"]["endpoints"][1];
  CHECK(http["port"] == 80);
  CHECK(http["sockets"][0]["queue_length"] == 129);
  CHECK(http["owners"][0]["unit"] == "nginx.service");
  CHECK(host["connections"]["close_wait"]["oldest"][0]["age_seconds"] == 90);
  CHECK(host["settings"]["sysctls"]["net.ipv4.tcp_rmem"] == Json({4096, 131072, 6291456}));
  CHECK(host["settings"]["sysctls"]["net.core.somaxconn"] == 4096);
  CHECK(host["settings"]["sysctls"]["net.ipv4.ip_local_reserved_ports"] == "8080,40000-40011");
}

TEST_CASE("a section that is not known is an error with its code and place") {
  const auto json = Json::parse(to_json_text(report_of_errors()));
  const auto& error = json["namespaces"][0]["tcp"]["error"];
  CHECK(error["code"] == "denied");
  CHECK(error["detail"] == "/proc/net/snmp: Permission denied");
  CHECK(json["files"]["error"]["code"] == "not_read");
  CHECK(json["collectors"][0]["success"] == false);
  CHECK(json["collectors"][0]["error"]["detail"] == "/proc: Permission denied");
  CHECK_FALSE(json["collectors"][0].contains("age_seconds"));
}

TEST_CASE("a value that is not known is left out, never null") {
  for (const auto& report : {sample_report(), report_of_errors(), hostile_report(), Report{}})
    CHECK_FALSE(holds_null(Json::parse(to_json_text(report))));
}

TEST_CASE("a name is shown as on every other face, and what is shown is JSON") {
  const auto text = to_json_text(hostile_report());
  auto without_newlines = text;
  std::erase(without_newlines, '\n');
  CHECK(is_one_line(without_newlines));
  const auto json = Json::parse(text);
  CHECK(json["namespaces"][1]["name"] == "a\"b\\c\\nd}\\xff\\xc0\\xaf<script>alert('x')</script>\\x1b[31m");
}

TEST_CASE("listeners show no owners, rather than an empty list, when processes are not known") {
  auto report = sample_report();
  report.snapshot.processes.value = unexpected(Errc::denied, "/proc: Permission denied");
  const auto json = Json::parse(to_json_text(report));
  CHECK_FALSE(json["namespaces"][0]["listeners"]["endpoints"][0].contains("owners"));
}

TEST_CASE("the list of CLOSE_WAIT sockets is bounded and says what it leaves out") {
  auto report = sample_report();
  auto connections = *report.snapshot.namespaces[0].connections.get();
  connections.close_wait.resize(250);
  connections.close_wait_cut = 7;
  report.snapshot.namespaces[0].connections.value = std::make_shared<const Connections>(connections);
  const auto close_wait = Json::parse(to_json_text(report))["namespaces"][0]["connections"]["close_wait"];
  CHECK(close_wait["oldest"].size() == 100);
  CHECK(close_wait["cut"] == 157);
}

TEST_CASE("times are written in UTC with milliseconds") {
  using namespace std::chrono_literals;
  CHECK(to_rfc3339(std::chrono::system_clock::time_point{}) == "1970-01-01T00:00:00.000Z");
  CHECK(to_rfc3339(std::chrono::system_clock::time_point{-1ms}) == "1969-12-31T23:59:59.999Z");
}
