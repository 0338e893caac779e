// SPDX-License-Identifier: Apache-2.0
#include "cli/namespaces.h"

#include <nlohmann/json.hpp>

#include "cli/described_reader.h"
#include "cli/findings_answer.h"
#include "cli/table.h"
#include "core/number_text.h"

namespace tcpdiag {
namespace {

Cell worst_cell(const NetnsSummary& netns) {
  switch (netns.state) {
    case NetnsState::excluded: return {"excluded", Tone::faint};
    case NetnsState::too_many: return {"not watched: too many", Tone::warning};
    case NetnsState::denied:
      if (!netns.worst) return {"may not be entered", Tone::warning};
      break;
    case NetnsState::soon: return {"too new", Tone::faint};
    case NetnsState::watched: break;
  }
  if (netns.worst) {
    const auto& worst = *netns.worst;
    const auto tone = worst.severity == Severity::critical  ? Tone::critical
                      : worst.severity == Severity::warning ? Tone::warning
                                                            : Tone::plain;
    return {std::string(to_string(worst.severity)) + " " + worst.id, tone};
  }
  return netns.cannot_tell ? Cell{"cannot tell"} : Cell{"-"};
}

}  // namespace

Result<NetnsOverview> parse_namespaces_answer(std::string_view text) {
  if (is_deep(text)) return unexpected(Errc::malformed, "nested too deeply");
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) return unexpected(Errc::malformed, "not JSON");
  DescribedReader reader;
  NetnsOverview overview;
  if (reader.is_object(json, "") && json.contains("error")) {
    std::string detail;
    if (reader.is_object(json["error"], "error"))
      reader.read_member(json["error"], "detail", detail, "error");
    if (reader.wrong().empty()) return unexpected(Errc::failed, std::move(detail));
  } else if (reader.wrong().empty() && !json.contains("namespaces")) {
    reader.complain("namespaces", "missing");
  } else {
    reader.read(json, overview, "");
  }
  if (!reader.wrong().empty()) return unexpected(Errc::malformed, reader.wrong());
  return overview;
}

std::string namespaces_text(const NetnsOverview& overview, const TextStyle& style) {
  constexpr auto kRight = Align::right;
  Table table({{"NAME", Align::left, 12},
               {"KIND"},
               {"PID", kRight},
               {"PROCS", kRight},
               {"LISTENERS", kRight},
               {"CONNS", kRight},
               {"WORST FINDING"}});
  for (const auto& netns : overview.namespaces)
    table.add({{netns.name},
               {std::string(to_string(netns.kind))},
               {netns.pid == 0 ? "-" : std::to_string(netns.pid)},
               {std::to_string(netns.processes)},
               {shown(netns.listeners)},
               {shown(netns.connections)},
               worst_cell(netns)});
  auto text = table.to_text(style);
  if (overview.cut != 0) text += "And " + counted(overview.cut, "more namespace") + ".\n";
  if (overview.unreadable != 0)
    text += "Namespaces of " + std::to_string(overview.unreadable) +
            (overview.unreadable == 1 ? " process" : " processes") +
            " are not known: that takes root or CAP_SYS_PTRACE.\n";
  return text;
}

}  // namespace tcpdiag
