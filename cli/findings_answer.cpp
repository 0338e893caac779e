// SPDX-License-Identifier: Apache-2.0
#include "cli/findings_answer.h"

#include <nlohmann/json.hpp>

#include "cli/described_reader.h"

namespace tcpdiag {
namespace {

using Json = nlohmann::json;

}  // namespace

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

Result<FindingsAnswer> parse_findings(std::string_view text) {
  if (is_deep(text)) return unexpected(Errc::malformed, "nested too deeply");
  const auto json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return unexpected(Errc::malformed, "not JSON");
  FindingsAnswer answer;
  DescribedReader reader;
  if (!reader.is_object(json, "")) return unexpected(Errc::malformed, reader.wrong());
  reader.read_member(json, "generated_at", answer.generated_at, "", true);
  for (const auto* list : {"findings", "unknown"})
    if (!json.contains(list)) reader.complain(list, "missing");
  if (!reader.wrong().empty()) return unexpected(Errc::malformed, reader.wrong());

  reader.read_list(json["findings"], answer.findings, "findings",
                   [&](const Json& each, FindingsAnswer::Found& found, const std::string& place) {
                     reader.read(each, found.finding, place);
                     if (!each.is_object()) return;
                     reader.read_member(each, "since", found.since, place, true);
                     reader.read_member(each, "last_seen", found.last_seen, place);
                   });
  reader.read_list(json["unknown"], answer.unknown, "unknown",
                   [&](const Json& each, FindingsAnswer::CannotTell& cannot_tell, const std::string& place) {
                     reader.read(each, cannot_tell.unknown, place);
                     if (each.is_object())
                       reader.read_member(each, "severity", cannot_tell.severity, place, true);
                   });
  if (const auto watched = json.find("watched");
      watched != json.end() && reader.is_object(*watched, "watched")) {
    reader.read_member(*watched, "seconds", answer.watched_for, "watched");
    reader.read_member(*watched, "namespaces", answer.namespaces, "watched");
    reader.read_member(*watched, "listeners", answer.listeners, "watched");
    reader.read_member(*watched, "connections", answer.connections, "watched");
    reader.read_member(*watched, "unasked_processes", answer.unasked_processes, "watched");
  }
  reader.read_member(json, "left_out", answer.left_out, "");
  if (!reader.wrong().empty()) return unexpected(Errc::malformed, reader.wrong());
  return answer;
}

}  // namespace tcpdiag
