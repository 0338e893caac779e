// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/finding.h"

#include <nlohmann/json.hpp>
#include <tuple>

namespace tcpdiag::incidents {
namespace {

using Json = nlohmann::json;

SeenFinding to_finding(const Json& json) {
  SeenFinding finding{.id = json.at("id"), .severity = json.at("severity"), .summary = json.at("summary")};
  const auto& subject = json.at("subject");
  finding.kind = subject.value("kind", "");
  finding.address = subject.value("address", "");
  finding.process = subject.value("process", "");
  finding.port = subject.value("port", std::uint16_t{0});
  if (json.contains("bites")) {
    finding.limit = json["bites"].value("limit", "");
    finding.limit_value = json["bites"].value("value", 0.0);
  }
  return finding;
}

}  // namespace

bool SeenFinding::is_same(const SeenFinding& other) const {
  // The process may become known only later, so it tells apart only where the process is the subject.
  const auto who = [](const SeenFinding& each) { return each.kind == "process" ? each.process : ""; };
  return std::tie(id, kind, address, port) == std::tie(other.id, other.kind, other.address, other.port) &&
         who(*this) == who(other);
}

std::string SeenFinding::describe() const {
  std::string text = id + " (" + severity + ")";
  if (port != 0) text += " port " + std::to_string(port);
  if (!process.empty()) text += " " + process;
  if (!limit.empty()) text += ", bites " + limit + " " + std::to_string(static_cast<long long>(limit_value));
  return text;
}

Result<std::vector<SeenFinding>> parse_findings(std::string_view text) {
  std::vector<SeenFinding> findings;
  try {
    const auto json = Json::parse(text);
    for (const auto& each : json.at("findings")) findings.push_back(to_finding(each));
  } catch (const Json::exception& error) {
    return unexpected(Errc::malformed, std::string("findings: ") + error.what());
  }
  return findings;
}

bool matches(const Expected& expected, const SeenFinding& finding) {
  return finding.id == expected.id && (expected.port == 0 || finding.port == expected.port) &&
         (expected.process.empty() || finding.process == expected.process) &&
         (expected.limit.empty() || finding.limit.find(expected.limit) != std::string::npos) &&
         (expected.limit_value == 0 || finding.limit_value == expected.limit_value) &&
         (expected.severity.empty() || finding.severity == expected.severity) &&
         (expected.says.empty() || finding.summary.find(expected.says) != std::string::npos);
}

bool is_one_of(std::string_view id, std::string_view pattern) {
  if (!pattern.ends_with('*')) return id == pattern;
  return id.starts_with(pattern.substr(0, pattern.size() - 1));
}

}  // namespace tcpdiag::incidents
