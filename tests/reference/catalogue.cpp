// SPDX-License-Identifier: Apache-2.0
#include "tests/reference/catalogue.h"

#include <algorithm>
#include <variant>

#include "cli/arguments.h"
#include "collectors/catalog.h"
#include "core/text.h"
#include "daemon/option_table.h"
#include "daemon/options.h"
#include "daemon/options_help.h"
#include "diagnosis/catalog.h"
#include "diagnosis/known_servers.h"
#include "diagnosis/words.h"
#include "exporters/metric_catalog.h"

namespace tcpdiag {
namespace {

/// Prometheus has the unit in the name; numbers of things have none.
std::string_view unit_of(std::string_view metric) {
  constexpr std::string_view kTotal = "_total";
  if (metric.ends_with(kTotal)) metric.remove_suffix(kTotal.size());
  for (const std::string_view unit : {"seconds", "bytes", "ratio"})
    if (metric.ends_with(unit)) return unit;
  return {};
}

Json metrics() {
  auto rows = Json::array();
  for (const auto& spec : metric_catalog())
    rows.push_back({{"name", spec.name},
                    {"group", spec.group},
                    {"type", to_string(spec.type)},
                    {"unit", unit_of(spec.name)},
                    {"labels", spec.labels},
                    {"help", spec.help},
                    {"source", spec.source}});
  return rows;
}

Json advice_of(const RuleInfo& info) {
  auto rows = Json::array();
  for (const auto& advice : info.advice)
    rows.push_back({{"action", advice.action},
                    {"command", advice.command},
                    {"kind", advice.kind == CommandKind::shell ? "shell" : "file_line"},
                    {"effect", advice.effect},
                    {"risk", advice.risk}});
  return rows;
}

Json findings() {
  auto rows = Json::array();
  for (const auto& rule : rule_catalog()) {
    const auto& info = rule.info;
    rows.push_back(
        {{"id", info.id},
         {"family", info.family},
         {"severity", to_string(info.severity)},
         {"critical_after_seconds", rule.critical_after ? Json(rule.critical_after->count()) : Json(nullptr)},
         {"scope", rule.scope == RuleScope::machine ? "machine" : "netns"},
         {"lookback_seconds", rule.lookback.count()},
         {"title", info.title},
         {"true_when", condition_of(info)},
         {"clients_see", info.clients_see},
         {"summary", info.summary},
         {"advice", advice_of(info)},
         {"not_helping", info.not_helping},
         {"consequences", info.consequences},
         {"explains", info.explains},
         {"replaces", info.replaces},
         {"reads", info.reads}});
  }
  return rows;
}

Json thresholds() {
  auto rows = Json::array();
  for (const auto& spec : kThresholds) {
    const auto value = std::visit([](auto member) { return Json(Thresholds{}.*member); }, spec.member);
    rows.push_back({{"name", spec.name}, {"family", spec.family}, {"value", value}, {"help", spec.help}});
  }
  return rows;
}

Json servers() {
  auto rows = Json::array();
  for (const auto& server : known_servers())
    rows.push_back({{"name", server.name},
                    {"process", server.process},
                    {"backlog", server.backlog},
                    {"standard", server.standard}});
  return rows;
}

Json collectors() {
  auto rows = Json::array();
  for (const auto& collector : collector_catalog())
    rows.push_back({{"name", collector.name},
                    {"period_ms", collector.period.count()},
                    {"reads", collector.reads},
                    {"without", collector.without}});
  return rows;
}

Json options() {
  auto rows = Json::array();
  for (const auto& row : option_table())
    rows.push_back({{"key", row.key},
                    {"flag", row.flag},
                    {"placeholder", row.placeholder},
                    {"type", type_of(row)},
                    {"default", Json::parse(shown(row, Options{}))},
                    {"allowed", allowed_by(row)},
                    {"restart", row.restart},
                    {"help", row.help}});
  return rows;
}

Json plain_flags_of_daemon() {
  auto rows = Json::array();
  for (const auto& flag : plain_flags()) rows.push_back({{"flag", flag.flag}, {"help", flag.help}});
  return rows;
}

/// "--log.level=", "--help".
Json words_of(std::span<const FlagSpec> flags) {
  auto words = Json::array();
  for (const auto& flag : flags) words.push_back(flag.name + (flag.takes_value ? "=" : ""));
  return words;
}

/// A part of --help: what is indented by two is a flag, what follows it its meaning; before the first flag
/// stands what the whole is for.
Json described(std::string_view text) {
  Json help = "", flags = Json::array();
  while (!text.empty()) {
    auto line = next_line(text);
    const bool is_flag = line.starts_with("  -");
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    if (is_flag) {
      flags.push_back({{"flag", line}, {"help", ""}});
      continue;
    }
    auto& words = (flags.empty() ? help : flags.back().at("help")).get_ref<std::string&>();
    words.append(words.empty() ? "" : "\n").append(line);
  }
  return {{"help", help}, {"flags", flags}};
}

Json commands() {
  auto rows = Json::array();
  for (const auto& command : command_specs()) {
    Json row = {{"name", command.name}, {"synopsis", command.synopsis}, {"words", words_of(command.flags)}};
    row.update(described(command.help));
    rows.push_back(row);
  }
  return rows;
}

}  // namespace

Json catalogue() {
  return {{"metrics", metrics()},
          {"findings", findings()},
          {"thresholds", thresholds()},
          {"servers", servers()},
          {"collectors", collectors()},
          {"daemon",
           {{"options", options()}, {"flags", plain_flags_of_daemon()}, {"words", words_of(known_flags())}}},
          {"command", {{"commands", commands()}, {"flags", described(shared_flags_help()).at("flags")}}}};
}

}  // namespace tcpdiag
