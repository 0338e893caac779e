// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/outcome.h"

#include <nlohmann/json.hpp>

namespace tcpdiag::incidents {
namespace {

using Json = nlohmann::json;

Json to_value(const Named& named) {
  Json json{{"finding", named.finding}, {"text", named.text}, {"kind", static_cast<int>(named.kind)}};
  if (named.found_after) json["found_after"] = *named.found_after;
  if (named.closed_after) json["closed_after"] = *named.closed_after;
  return json;
}

Named to_named(const Json& json) {
  Named named{.finding = json.at("finding"),
              .text = json.at("text"),
              .kind = static_cast<Named::Kind>(json.at("kind").get<int>())};
  if (json.contains("found_after")) named.found_after = json["found_after"];
  if (json.contains("closed_after")) named.closed_after = json["closed_after"];
  return named;
}

}  // namespace

std::string to_json(const Outcome& outcome) {
  Json json{{"id", outcome.id},
            {"name", outcome.name},
            {"verdict", static_cast<int>(outcome.verdict)},
            {"failures", outcome.failures},
            {"observed", outcome.observed},
            {"missing", outcome.missing},
            {"evidence", outcome.evidence},
            {"seconds", outcome.seconds},
            {"earlier", outcome.earlier}};
  json["named"] = Json::array();
  for (const auto& each : outcome.named) json["named"].push_back(to_value(each));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Outcome> parse_outcome(const std::string& text) {
  Outcome outcome;
  try {
    const auto json = Json::parse(text);
    json.at("id").get_to(outcome.id);
    json.at("name").get_to(outcome.name);
    outcome.verdict = static_cast<Outcome::Verdict>(json.at("verdict").get<int>());
    json.at("failures").get_to(outcome.failures);
    json.at("observed").get_to(outcome.observed);
    json.at("missing").get_to(outcome.missing);
    json.at("evidence").get_to(outcome.evidence);
    json.at("seconds").get_to(outcome.seconds);
    json.at("earlier").get_to(outcome.earlier);
    for (const auto& each : json.at("named")) outcome.named.push_back(to_named(each));
  } catch (const Json::exception& error) {
    return unexpected(Errc::malformed, std::string("outcome: ") + error.what());
  }
  return outcome;
}

}  // namespace tcpdiag::incidents
