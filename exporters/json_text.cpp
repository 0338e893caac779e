// SPDX-License-Identifier: Apache-2.0
#include "exporters/json_text.h"

#include <nlohmann/json.hpp>

#include "core/utf8.h"

namespace tcpdiag {
namespace {

using Json = nlohmann::ordered_json;

bool has_plain_keys(const Json& object) {
  for (const auto& [key, member] : object.items())
    if (!is_one_line(key)) return false;
  return true;
}

Json with_shown_keys(Json&& object) {
  Json shown = Json::object();
  for (auto& [key, member] : object.items()) shown[one_line(key)] = std::move(member);
  return shown;
}

void show(Json& value, bool of_lines) {
  if (value.is_string()) {
    auto& text = value.get_ref<std::string&>();
    if (!is_one_line(text)) text = of_lines ? many_lines(text) : one_line(text);
  } else if (value.is_object()) {
    if (!has_plain_keys(value)) value = with_shown_keys(std::move(value));
    for (auto member = value.begin(); member != value.end(); ++member)
      show(member.value(), member.key() == "command");
  } else if (value.is_array()) {
    for (auto& element : value) show(element, of_lines);
  }
}

}  // namespace

std::string json_text(Json document, int indent) {
  show(document, false);
  return document.dump(indent);
}

}  // namespace tcpdiag
