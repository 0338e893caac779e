// SPDX-License-Identifier: Apache-2.0
#include "cli/findings_answer.h"

#include <nlohmann/json.hpp>

#include "exporters/findings_json.h"
#include "tests/catch.h"
#include "tests/sample_report.h"

using namespace tcpdiag;
using Json = nlohmann::json;

namespace {

Json sample_json() { return Json::parse(findings_json_text(sample_report())); }

std::string complaint(const Json& json) {
  const auto answer = parse_findings(json.dump());
  REQUIRE_FALSE(answer);
  CHECK(answer.error().code == Errc::malformed);
  return answer.error().detail;
}

}  // namespace

TEST_CASE("what the API says of findings is read back as it was") {
  auto report = sample_report();
  report.incidents[0].finding.alike = 3;
  const auto answer = parse_findings(findings_json_text(report));
  REQUIRE(answer);
  CHECK(answer->generated_at == report.wall_at);
  REQUIRE(answer->findings.size() == 3);
  for (std::size_t i = 0; i < answer->findings.size(); ++i) {
    CHECK(answer->findings[i].finding == report.incidents[i].finding);
    CHECK(answer->findings[i].since == report.incidents[i].opened.wall);
  }
  REQUIRE(answer->unknown.size() == 4);
  CHECK(answer->unknown[0].unknown == report.rules[2].unknown[0]);
  CHECK(answer->unknown[3].unknown == report.rules[4].unknown[1]);
  CHECK(answer->unknown[3].severity == Severity::critical);
}

TEST_CASE("what was watched is read, and absent where it is not known") {
  const auto answer = parse_findings(findings_json_text(sample_report()));
  REQUIRE(answer);
  CHECK(answer->watched_for == std::chrono::hours(24));
  CHECK(answer->namespaces == 2);
  CHECK(answer->listeners == 2);
  CHECK(answer->connections == 227);
  const auto nothing = parse_findings(findings_json_text(report_of_errors()));
  REQUIRE(nothing);
  CHECK_FALSE(nothing->watched_for);
  CHECK_FALSE(nothing->listeners);
  CHECK_FALSE(nothing->connections);
}

TEST_CASE("an answer without what was watched, or with more than is known here, is read as well") {
  auto json = sample_json();
  json.erase("watched");
  json["later"] = {{"a", 1}};
  json["findings"][0]["later"] = nullptr;
  const auto answer = parse_findings(json.dump());
  REQUIRE(answer);
  CHECK(answer->findings.size() == 3);
  CHECK_FALSE(answer->namespaces);
}

TEST_CASE("an answer that is nested more deeply than any is refused before it takes memory") {
  const auto answer = parse_findings(std::string(1 << 20, '['));
  REQUIRE_FALSE(answer);
  CHECK(answer.error().detail == "nested too deeply");
}

TEST_CASE("an answer that is not what is documented is refused with the key that is wrong") {
  CHECK(complaint("not JSON at all") == "the answer: not an object");
  CHECK(complaint("\"" + std::string(100, '[')) == "the answer: not an object");
  CHECK(complaint(Json::array()) == "the answer: not an object");
  CHECK(complaint(Json::object()) == "generated_at: missing");
  CHECK(complaint({{"generated_at", "yesterday"}}) == "generated_at: not a time");
  CHECK(complaint({{"generated_at", "2026-01-02T03:04:05Z"}}) == "findings: missing");
  CHECK(complaint({{"generated_at", "2026-01-02T03:04:05Z"}, {"findings", Json::array()}}) ==
        "unknown: missing");
  const auto spoiled = [](const char* place, const Json& value) {
    auto json = sample_json();
    json[Json::json_pointer(place)] = value;
    return complaint(json);
  };
  CHECK(spoiled("/findings", "x") == "findings: not a list");
  CHECK(spoiled("/findings/1", 7) == "findings[1]: not an object");
  CHECK(spoiled("/findings/1/id", 7) == "findings[1].id: not a text");
  CHECK(spoiled("/findings/1/severity", "awful") == "findings[1].severity: an unknown word");
  CHECK(spoiled("/findings/1/subject", nullptr) == "findings[1].subject: not an object");
  CHECK(spoiled("/findings/1/subject/kind", "") == "findings[1].subject.kind: an unknown word");
  CHECK(spoiled("/findings/1/subject/port", 65536) == "findings[1].subject.port: out of range");
  CHECK(spoiled("/findings/1/subject/port", -1) == "findings[1].subject.port: out of range");
  CHECK(spoiled("/findings/1/subject/port", 80.5) == "findings[1].subject.port: out of range");
  CHECK(spoiled("/findings/1/subject/port", "80") == "findings[1].subject.port: not a number");
  CHECK(spoiled("/findings/0/evidence/1/value", nullptr) == "findings[0].evidence[1].value: not a number");
  CHECK(spoiled("/findings/0/evidence/0/window_seconds", 1e300) ==
        "findings[0].evidence[0].window_seconds: out of range");
  CHECK(spoiled("/findings/0/bites/limit", true) == "findings[0].bites.limit: not a text");
  CHECK(spoiled("/findings/0/advice/0/do", Json::array()) == "findings[0].advice[0].do: not a text");
  CHECK(spoiled("/findings/0/not/0", 1) == "findings[0].not[0]: not a text");
  CHECK(spoiled("/findings/0/since", "") == "findings[0].since: not a time");
  CHECK(spoiled("/unknown/0/why", 1) == "unknown[0].why: not a text");
  CHECK(spoiled("/watched", 1) == "watched: not an object");
  CHECK(spoiled("/watched/listeners", -1) == "watched.listeners: out of range");
}

TEST_CASE("every truncation of an answer is refused") {
  auto whole = findings_json_text(sample_report());
  whole.pop_back();  // the newline at its end
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    CHECK_FALSE(parse_findings(std::string_view(whole).substr(0, length)));
  }
}
