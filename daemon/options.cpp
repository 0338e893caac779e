// SPDX-License-Identifier: Apache-2.0
#include "daemon/options.h"

#include <algorithm>

#include "collectors/catalog.h"
#include "core/version.h"
#include "daemon/config_file.h"
#include "daemon/flags.h"
#include "daemon/nearest_name.h"
#include "daemon/option_table.h"
#include "daemon/options_reference.h"

namespace tcpdiag {
namespace {

using Complaint = std::optional<std::string>;

std::vector<FlagSpec> known_flags() {
  std::vector<FlagSpec> flags = {{"--config.file", true}, {"--config.check"}, {"--version"}, {"--help"}};
  for (const auto& row : option_table()) {
    if (std::holds_alternative<CollectorsOption>(row.kind)) continue;
    flags.push_back({std::string(row.flag), true, std::holds_alternative<ListOption>(row.kind)});
  }
  for (const auto& collector : collector_catalog()) {
    flags.push_back({"--collector." + std::string(collector.name)});
    flags.push_back({"--no-collector." + std::string(collector.name)});
  }
  return flags;
}

Complaint apply_entry(const ConfigEntry& entry, Options& options) {
  std::vector<std::string> keys;
  for (const auto& row : option_table()) {
    if (row.key != entry.key) {
      keys.emplace_back(row.key);
      continue;
    }
    auto wrong = set(row, entry.value, options);
    if (wrong) *wrong = entry.key + *wrong;
    return wrong;
  }
  return "unknown key " + quote(entry.key) + "; did you mean " + quote(nearest_name(entry.key, keys)) + "?";
}

Complaint apply_file(const std::string& path, Options& options) {
  const auto entries =
      read_config_file(path).and_then([&](const std::string& text) { return parse_config_file(path, text); });
  if (!entries) return entries.error().detail;
  for (const auto& entry : *entries) {
    if (const auto wrong = apply_entry(entry, options)) return path + ": " + *wrong;
  }
  return std::nullopt;
}

Complaint apply_collector_flags(const GivenFlags& given, Options& options) {
  for (const auto& collector : collector_catalog()) {
    const std::string name(collector.name);
    const auto on_flag = "--collector." + name;
    const auto off_flag = "--no-collector." + name;
    const bool on = given.contains(on_flag);
    const bool off = given.contains(off_flag);
    if (on && off) return on_flag + " and " + off_flag + " contradict each other";
    if (on) options.collectors_off.erase(name);
    if (off) options.collectors_off.insert(name);
  }
  return std::nullopt;
}

Complaint apply_flags(const GivenFlags& given, Options& options) {
  for (const auto& row : option_table()) {
    const auto flag = given.find(row.flag);
    if (flag == given.end()) continue;
    if (const auto wrong = set(row, to_value(row, flag->second), options)) return flag->first + *wrong;
  }
  return apply_collector_flags(given, options);
}

/// What no single option can tell.
Complaint contradiction(const Options& options) {
  if (options.max_connections_per_ip <= options.max_connections) return std::nullopt;
  return "max_connections_per_ip is " + std::to_string(options.max_connections_per_ip) +
         "; allowed: not more than max_connections, which is " + std::to_string(options.max_connections);
}

tl::unexpected<EarlyExit> leave(int code, const std::string& text) {
  return tl::unexpected<EarlyExit>(EarlyExit{code, text + "\n"});
}

}  // namespace

tl::expected<Options, EarlyExit> load_options(const std::vector<std::string>& arguments) {
  constexpr int kMistake = 2;
  const auto given = parse_flags(arguments, known_flags());
  if (!given) return leave(kMistake, given.error().detail);
  if (given->contains("--help")) return leave(0, options_help());
  if (given->contains("--version")) return leave(0, "tcpdiagd " + std::string(version()));

  Options options;
  const auto file = given->find("--config.file");
  if (file != given->end()) {
    const auto& path = file->second.back();
    if (const auto wrong = apply_file(path, options)) return leave(kMistake, *wrong);
  }
  if (const auto wrong = apply_flags(*given, options)) return leave(kMistake, *wrong);
  if (const auto wrong = contradiction(options)) return leave(kMistake, *wrong);
  if (given->contains("--config.check"))
    return leave(0, file == given->end() ? "the flags are valid" : file->second.back() + ": valid");
  return options;
}

std::vector<std::string> needs_restart(const Options& before, const Options& after) {
  std::vector<std::string> keys;
  for (const auto& row : option_table()) {
    if (row.restart && !same(row, before, after)) keys.emplace_back(row.key);
  }
  return keys;
}

}  // namespace tcpdiag
