// SPDX-License-Identifier: Apache-2.0
// Strict reading of a YAML file's keys, for the formats that are Prometheus' own: an unknown key and one that
// is there twice are errors. What is said about a value never contains it, unless it cannot be a secret.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "exporters/text_source.h"
#include "exporters/yaml_text.h"

namespace tcpdiag {

/// What is wrong, in a text that begins with the key. Empty: all is well.
using YamlWrong = std::optional<YamlComplaint>;

/// A value of the file, under its key.
struct YamlValue {
  std::string key;
  YAML::Node node;
  int line = 0;

  [[nodiscard]] YamlComplaint wrong(const std::string& what) const { return {line, key + what}; }
  [[nodiscard]] bool is_text() const { return node.IsScalar() || node.IsNull(); }
  /// Of nothing at all: empty.
  [[nodiscard]] std::string text() const { return node.IsScalar() ? node.Scalar() : std::string(); }
  /// Without quotes around it.
  [[nodiscard]] bool is_plain() const { return node.IsScalar() && node.Tag() != "!"; }
  /// Empty: it is neither true nor false.
  [[nodiscard]] std::optional<bool> as_switch() const;
};

/// A key that a mapping may have, and where its value goes.
template <class T>
struct YamlKey {
  std::string_view key;
  YamlWrong (*store)(const YamlValue& value, T& into);
};

/// In double quotes and on one line, cut when it is long.
std::string in_quotes(std::string_view text);

int line_of(const YAML::Node& node);

/// Calls `take` for each member of a mapping, of which nothing at all is an empty one, until it complains.
YamlWrong for_each_member(const YamlValue& mapping, const std::function<YamlWrong(const YamlValue&)>& take);

/// The complaint about a key that is not one of these, with the nearest of them.
YamlComplaint unknown_key(const YamlValue& value, std::span<const std::string> known);

template <class T>
YamlWrong store_mapping(const YamlValue& mapping, std::span<const YamlKey<T>> rows, T& into) {
  return for_each_member(mapping, [&](const YamlValue& value) -> YamlWrong {
    std::vector<std::string> known;
    for (const auto& row : rows) {
      if (row.key == value.key) return row.store(value, into);
      known.emplace_back(row.key);
    }
    return unknown_key(value, known);
  });
}

template <auto Member, class T>
YamlWrong store_text(const YamlValue& value, T& into) {
  if (!value.is_text()) return value.wrong(" is not a text");
  into.*Member = value.text();
  return std::nullopt;
}

/// A key whose text goes to one part of a TextSource.
template <auto Source, auto Part, class T>
YamlWrong store_source(const YamlValue& value, T& into) {
  return store_text<Part>(value, into.*Source);
}

template <auto Member, class T>
YamlWrong store_switch(const YamlValue& value, T& into) {
  const auto on = value.as_switch();
  if (!on) return value.wrong(" is neither true nor false");
  into.*Member = *on;
  return std::nullopt;
}

/// A complaint as an error, "NAME:LINE: KEY what is wrong with it".
tl::unexpected<Error> malformed_yaml(const std::string& name, const YamlComplaint& complaint);

/// The whole of a file of at most `most` bytes as a value.
Result<YamlValue> parse_yaml(const std::string& name, std::string_view text, std::size_t most);

}  // namespace tcpdiag
