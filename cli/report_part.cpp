// SPDX-License-Identifier: Apache-2.0
#include "cli/report_part.h"

#include <nlohmann/json.hpp>

#include "exporters/json.h"
#include "exporters/json_text.h"

namespace tcpdiag {
namespace {

using Json = nlohmann::ordered_json;

Json chosen(const Json& object, std::initializer_list<std::string_view> keys) {
  Json part = Json::object();
  for (const auto key : keys)
    if (const auto found = object.find(std::string(key)); found != object.end()) part[found.key()] = *found;
  return part;
}

}  // namespace

std::string part_of_report(const Report& report, std::initializer_list<std::string_view> of_namespaces,
                           std::initializer_list<std::string_view> of_machine) {
  const auto whole = Json::parse(to_json_text(report));
  auto part = chosen(whole, {"generated_at", "version"});
  if (of_namespaces.size() != 0) {
    part["namespaces"] = Json::array();
    for (const auto& netns : whole["namespaces"]) {
      auto shown = chosen(netns, {"name"});
      shown.update(chosen(netns, of_namespaces));
      part["namespaces"].push_back(std::move(shown));
    }
  }
  part.update(chosen(whole, of_machine));
  part.update(chosen(whole, {"collectors"}));
  return json_text(std::move(part), 2) + "\n";
}

}  // namespace tcpdiag
