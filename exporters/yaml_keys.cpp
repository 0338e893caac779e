// SPDX-License-Identifier: Apache-2.0
#include "exporters/yaml_keys.h"

#include <algorithm>

#include "core/nearest_name.h"
#include "core/utf8.h"

namespace tcpdiag {
namespace {

/// As much of a key as is shown: without a colon and a blank behind it, "password:secret" is one key.
std::string shown(const std::string& key) { return in_quotes(key.substr(0, key.find_first_of(" \t:"))); }

bool holds_zero(const YAML::Node& node) {
  return node.IsScalar() && node.Scalar().find('\0') != std::string::npos;
}

YamlComplaint no_colon(int line, const std::string& key) {
  return {line, "the key " + shown(key) + " has no colon followed by a blank"};
}

}  // namespace

std::optional<bool> YamlValue::as_switch() const {
  bool on = false;
  if (!is_plain() || !YAML::convert<bool>::decode(node, on)) return std::nullopt;
  return on;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kLongest = 80;
  const auto prefix = utf8_prefix(text, kLongest);
  return '"' + one_line(prefix) + (prefix.size() < text.size() ? "...\"" : "\"");
}

int line_of(const YAML::Node& node) { return node.Mark().line + 1; }

YamlWrong for_each_member(const YamlValue& mapping, const std::function<YamlWrong(const YamlValue&)>& take) {
  if (mapping.node.IsNull()) return std::nullopt;
  if (!mapping.node.IsMap()) return mapping.wrong(" is not a mapping of keys to values");
  std::vector<std::string> seen;
  for (const auto& member : mapping.node) {
    const int line = line_of(member.first);
    if (!member.first.IsScalar()) return YamlComplaint{line, mapping.key + " has a key that is not a text"};
    const auto& key = member.first.Scalar();
    // In double quotes "\0" stands for a zero byte, at which the name of a file would end.
    if (holds_zero(member.first))
      return YamlComplaint{line, "the key " + shown(key) + " has a zero byte in it"};
    if (holds_zero(member.second)) return YamlComplaint{line, key + " has a zero byte in its text"};
    const bool bare = member.second.IsNull() && member.second.Mark().pos == member.first.Mark().pos;
    if (bare) return no_colon(line, key);
    if (std::ranges::find(seen, key) != seen.end())
      return YamlComplaint{line, "the key " + shown(key) + " is there twice"};
    seen.push_back(key);
    if (auto wrong = take(YamlValue{key, member.second, line})) return wrong;
  }
  return std::nullopt;
}

YamlComplaint unknown_key(const YamlValue& value, std::span<const std::string> known) {
  if (value.node.IsNull() && value.key.find_first_of(": ") != std::string::npos)
    return no_colon(value.line, value.key);
  const auto nearest = nearest_name(value.key, known);
  const auto hint = nearest.empty() ? "" : "; did you mean " + in_quotes(nearest) + "?";
  return {value.line, "unknown key " + shown(value.key) + hint};
}

tl::unexpected<Error> malformed_yaml(const std::string& name, const YamlComplaint& complaint) {
  return unexpected(Errc::malformed, name + ":" + std::to_string(complaint.line) + ": " + complaint.text);
}

Result<YamlValue> parse_yaml(const std::string& name, std::string_view text, std::size_t most) {
  if (text.size() > most)
    return unexpected(Errc::too_large, name + ": more than " + std::to_string(most) + " bytes");
  const auto document = load_yaml(text);
  if (!document) return malformed_yaml(name, document.error());
  return YamlValue{"the file", *document, 1};
}

}  // namespace tcpdiag
