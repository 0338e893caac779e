// SPDX-License-Identifier: Apache-2.0
#include "cli/findings_answer.h"

#include <array>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/time_text.h"

namespace tcpdiag {
namespace {

using Json = nlohmann::json;

/// Whether the text is nested more deeply than any answer; the parser would take memory for each level.
bool is_deep(std::string_view json) {
  constexpr std::size_t kMostLevels = 64;
  std::size_t level = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_text && c == '\\')
      ++i;  // and what it escapes
    else if (c == '"')
      in_text = !in_text;
    if (in_text) continue;
    if ((c == '[' || c == '{') && ++level > kMostLevels) return true;
    if ((c == ']' || c == '}') && level > 0) --level;
  }
  return false;
}

/// An object of the answer. Its members are taken one by one; what is not as documented is remembered in
/// `wrong`, the first one with its key, and read as if it were empty.
class Object {
 public:
  Object(const Json& json, std::string where, std::string& wrong)
      : json_(json), where_(std::move(where)), wrong_(wrong) {
    if (!json_.is_object()) complain(where_.empty() ? "the answer" : where_, "not an object");
  }

  [[nodiscard]] bool has(const char* key) const { return json_.is_object() && json_.contains(key); }

  /// An absent text is an empty one.
  [[nodiscard]] std::string text(const char* key) const {
    if (!has(key)) return {};
    if (json_[key].is_string()) return json_[key].get<std::string>();
    complain(place_of(key), "not a text");
    return {};
  }
  [[nodiscard]] std::string needed_text(const char* key) const {
    if (!has(key)) complain(place_of(key), "missing");
    return text(key);
  }
  /// Absent is false.
  [[nodiscard]] bool flag(const char* key) const {
    if (!has(key)) return false;
    if (json_[key].is_boolean()) return json_[key].get<bool>();
    complain(place_of(key), "neither true nor false");
    return false;
  }
  [[nodiscard]] std::optional<double> number(const char* key) const {
    if (!has(key)) return std::nullopt;
    if (json_[key].is_number()) return json_[key].get<double>();
    complain(place_of(key), "not a number");
    return std::nullopt;
  }
  [[nodiscard]] double needed_number(const char* key) const {
    if (!has(key)) complain(place_of(key), "missing");
    return number(key).value_or(0);  // nobody sees it: there is a complaint
  }
  /// A whole number that T can hold.
  template <class T>
  [[nodiscard]] std::optional<T> whole(const char* key) const {
    const auto value = number(key);
    if (!value) return std::nullopt;
    const bool fits =
        json_[key].is_number_integer() && *value >= 0 &&
        *value <= static_cast<double>(std::min<std::uint64_t>(std::numeric_limits<T>::max(),
                                                              std::numeric_limits<std::int64_t>::max() / 2));
    if (fits) return json_[key].get<T>();
    complain(place_of(key), "out of range");
    return std::nullopt;
  }
  [[nodiscard]] FindingsAnswer::WallTime time(const char* key) const {
    if (const auto moment = parse_rfc3339(needed_text(key))) return *moment;
    complain(place_of(key), "not a time");
    return {};
  }
  /// The value whose to_string() the text is.
  template <class Word, std::size_t N>
  [[nodiscard]] Word word(const char* key, const std::array<Word, N>& known) const {
    const auto text = needed_text(key);
    for (const auto each : known)
      if (text == to_string(each)) return each;
    complain(place_of(key), "an unknown word");
    return known.front();
  }
  /// `read(element, where)` of each element; absent is empty.
  template <class Read>
  [[nodiscard]] auto list(const char* key, Read read) const {
    std::vector<decltype(read(json_, std::string()))> values;
    if (!has(key)) return values;
    if (!json_[key].is_array()) complain(place_of(key), "not a list");
    if (!wrong_.empty()) return values;
    std::size_t index = 0;
    for (const auto& element : json_[key])
      values.push_back(read(element, place_of(key) + "[" + std::to_string(index++) + "]"));
    return values;
  }
  [[nodiscard]] std::vector<std::string> texts(const char* key) const {
    return list(key, [&](const Json& element, const std::string& where) -> std::string {
      if (element.is_string()) return element.get<std::string>();
      if (wrong_.empty()) wrong_ = where + ": not a text";
      return {};
    });
  }
  [[nodiscard]] Object object(const char* key) const {
    static const Json kEmpty = Json::object();
    if (!has(key)) complain(place_of(key), "missing");
    return {has(key) ? json_[key] : kEmpty, place_of(key), wrong_};
  }

 private:
  [[nodiscard]] std::string place_of(const char* key) const {
    return (where_.empty() ? "" : where_ + ".") + key;
  }
  void complain(const std::string& place, const std::string& what) const {
    if (wrong_.empty()) wrong_ = place + ": " + what;
  }

  const Json& json_;
  std::string where_;
  std::string& wrong_;
};

constexpr std::array kSeverities = {Severity::info, Severity::warning, Severity::critical};
constexpr std::array kKinds = {SubjectKind::host,        SubjectKind::netns,   SubjectKind::listener,
                               SubjectKind::destination, SubjectKind::process, SubjectKind::setting};

// An older daemon says nothing of its kind.
Owner read_owner(const Object& object) {
  const auto label = object.text("unit");
  if (label.empty()) return {};
  return named_owner(object.has("unit_kind") ? object.word("unit_kind", kOwnerKinds) : OwnerKind::other,
                     label);
}

Subject read_subject(const Object& object) {
  return {.kind = object.word("kind", kKinds),
          .address = object.text("address"),
          .port = object.whole<std::uint16_t>("port"),
          .name = object.text("name"),
          .process = object.text("process"),
          .pid = object.whole<std::int32_t>("pid"),
          .owner = read_owner(object)};
}

Evidence read_evidence(const Object& object) {
  Evidence evidence{.name = object.needed_text("name"),
                    .value = object.needed_number("value"),
                    .unit = object.text("unit")};
  if (const auto window = object.whole<std::int32_t>("window_seconds"))
    evidence.window = std::chrono::seconds(*window);
  return evidence;
}

Bites read_bites(const Object& object) {
  return {.limit = object.needed_text("limit"),
          .value = object.needed_number("value"),
          .ceiling = object.text("ceiling"),
          .ceiling_value = object.number("ceiling_value")};
}

Advice read_advice(const Object& object) {
  return {.action = object.needed_text("do"),
          .command = object.text("command"),
          .effect = object.text("effect"),
          .risk = object.text("risk")};
}

FindingsAnswer::Found read_found(const Object& object, std::string& wrong) {
  Finding finding{.id = object.needed_text("id"),
                  .title = object.text("title"),
                  .severity = object.word("severity", kSeverities),
                  .netns = object.text("netns"),
                  .subject = read_subject(object.object("subject")),
                  .summary = object.needed_text("summary"),
                  .not_helping = object.texts("not"),
                  .consequences = object.texts("consequences")};
  finding.evidence = object.list("evidence", [&](const Json& json, const std::string& where) {
    return read_evidence(Object(json, where, wrong));
  });
  finding.advice = object.list("advice", [&](const Json& json, const std::string& where) {
    return read_advice(Object(json, where, wrong));
  });
  finding.alike = object.whole<std::uint64_t>("alike").value_or(0);
  if (object.has("bites")) finding.bites = read_bites(object.object("bites"));
  FindingsAnswer::Found found{.finding = std::move(finding), .since = object.time("since")};
  if (object.has("last_seen")) found.last_seen = object.time("last_seen");
  return found;
}

// A code of a newer daemon is none of ours: it counts as one that might have been read.
Errc read_code(const Object& object) {
  const auto text = object.text("code");
  for (const auto code : kErrcs)
    if (text == to_string(code)) return code;
  return Errc::not_read;
}

FindingsAnswer::CannotTell read_unknown(const Object& object) {
  return {.unknown = {.id = object.needed_text("id"),
                      .netns = object.text("netns"),
                      .why = object.needed_text("why"),
                      .in_part = object.flag("in_part"),
                      .code = read_code(object),
                      .source = object.text("source")},
          .severity = object.word("severity", kSeverities)};
}

}  // namespace

Result<FindingsAnswer> parse_findings(std::string_view json) {
  if (is_deep(json)) return unexpected(Errc::malformed, "nested too deeply");
  const auto parsed = Json::parse(json, nullptr, false);
  if (parsed.is_discarded()) return unexpected(Errc::malformed, "not JSON");
  std::string wrong;
  const Object object(parsed, "", wrong);
  FindingsAnswer answer{.generated_at = object.time("generated_at")};
  for (const auto* key : {"findings", "unknown"})
    if (wrong.empty() && !object.has(key)) wrong = std::string(key) + ": missing";
  answer.findings = object.list("findings", [&](const Json& found, const std::string& where) {
    return read_found(Object(found, where, wrong), wrong);
  });
  answer.unknown = object.list("unknown", [&](const Json& unknown, const std::string& where) {
    return read_unknown(Object(unknown, where, wrong));
  });
  if (object.has("watched")) {
    const auto watched = object.object("watched");
    if (const auto seconds = watched.whole<std::int32_t>("seconds"))
      answer.watched_for = std::chrono::seconds(*seconds);
    answer.namespaces = watched.whole<std::uint64_t>("namespaces");
    answer.listeners = watched.whole<std::uint64_t>("listeners");
    answer.connections = watched.whole<std::uint64_t>("connections");
  }
  if (!wrong.empty()) return unexpected(Errc::malformed, wrong);
  return answer;
}

}  // namespace tcpdiag
