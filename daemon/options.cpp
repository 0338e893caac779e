// SPDX-License-Identifier: Apache-2.0
#include "daemon/options.h"

#include <algorithm>
#include <map>

#include "collectors/catalog.h"
#include "core/utf8.h"
#include "core/version.h"
#include "daemon/clock.h"
#include "daemon/config_file.h"
#include "daemon/flags.h"
#include "daemon/nearest_name.h"
#include "daemon/option_table.h"
#include "daemon/options_help.h"
#include "daemon/web_config_file.h"

namespace tcpdiag {
namespace {

using Complaint = std::optional<std::string>;

/// Who set an option, by its key: "--log.level" or "/etc/tcpdiagd.json: log_level". Without an entry it has
/// its default.
using SetBy = std::map<std::string_view, std::string>;

}  // namespace

std::vector<FlagSpec> known_flags() {
  std::vector<FlagSpec> flags = {
      {"--config.file", true}, {"--config.check"}, {"--version"}, {"--help"}, {"-h"}};
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

namespace {

Complaint apply_entry(const ConfigEntry& entry, Options& options, const std::string& path, SetBy& set_by) {
  std::vector<std::string> keys;
  for (const auto& row : option_table()) {
    if (row.key != entry.key) {
      keys.emplace_back(row.key);
      continue;
    }
    auto wrong = set(row, entry.value, options);
    if (wrong) *wrong = entry.key + *wrong;
    set_by[row.key] = path + ": " + entry.key;
    return wrong;
  }
  return "unknown key " + quote(entry.key) + did_you_mean(entry.key, keys);
}

Complaint apply_file(const std::string& path, Options& options, SetBy& set_by) {
  const auto entries =
      read_config_file(path).and_then([&](const std::string& text) { return parse_config_file(path, text); });
  if (!entries) return entries.error().detail;
  for (const auto& entry : *entries) {
    if (const auto wrong = apply_entry(entry, options, path, set_by)) return path + ": " + *wrong;
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

Complaint apply_flags(const GivenFlags& given, Options& options, SetBy& set_by) {
  for (const auto& row : option_table()) {
    const auto flag = given.find(row.flag);
    if (flag == given.end()) continue;
    if (const auto wrong = set(row, to_value(row, flag->second), options)) return flag->first + *wrong;
    set_by[row.key] = flag->first;
  }
  return apply_collector_flags(given, options);
}

/// What no single option can tell. A default gives way to what somebody set.
Complaint settle_connections(const SetBy& set_by, Options& options) {
  auto& per_ip = options.max_connections_per_ip;
  if (per_ip <= options.max_connections) return std::nullopt;
  const auto by = set_by.find("max_connections_per_ip");
  const auto limit_by = set_by.find("max_connections");
  if (by != set_by.end() && limit_by != set_by.end())
    return by->second + " is " + std::to_string(per_ip) + "; allowed: not more than " + limit_by->second +
           ", which is " + std::to_string(options.max_connections);
  per_ip = options.max_connections;
  return std::nullopt;
}

tl::unexpected<EarlyExit> leave(int code, const std::string& text) {
  return tl::unexpected<EarlyExit>(EarlyExit{code, text + "\n"});
}

tl::unexpected<EarlyExit> mistake(const std::string& line) { return leave(2, one_line(line)); }

}  // namespace

tl::expected<Options, EarlyExit> load_options(const std::vector<std::string>& arguments) {
  const auto given = parse_flags(arguments, known_flags());
  if (!given) return mistake(given.error().detail);
  if (given->contains("--help") || given->contains("-h")) return leave(0, options_help());
  if (given->contains("--version")) return leave(0, "tcpdiagd " + std::string(version()));

  Options options;
  SetBy set_by;
  const auto file = given->find("--config.file");
  if (file != given->end()) {
    const auto& path = file->second.back();
    if (const auto wrong = apply_file(path, options, set_by)) return mistake(*wrong);
  }
  if (const auto wrong = apply_flags(*given, options, set_by)) return mistake(*wrong);
  if (const auto wrong = settle_connections(set_by, options)) return mistake(*wrong);
  if (given->contains("--config.check")) {
    const auto warnings = check_web_config(options);
    if (!warnings) return mistake(warnings.error().detail);
    std::string said;
    for (const auto& warning : *warnings) said += "warning: " + one_line(warning) + "\n";
    said += file == given->end() ? "the flags are valid" : file->second.back() + ": valid";
    return leave(0, said);
  }
  return options;
}

Result<std::vector<std::string>> check_web_config(const Options& options) {
  if (options.web_config_file.empty()) return {};
  std::vector<FileMark> marks;
  const auto file = read_web_config(options.web_config_file, marks);
  if (!file) return tl::unexpected<Error>(file.error());
  auto warnings = file->warnings;
  const auto of_certificates = certificate_warnings(options.web_config_file, *file, Clocks::system().wall());
  warnings.insert(warnings.end(), of_certificates.begin(), of_certificates.end());
  return warnings;
}

std::vector<std::string> needs_restart(const Options& before, const Options& after) {
  std::vector<std::string> keys;
  for (const auto& row : option_table()) {
    if (row.restart && !same(row, before, after)) keys.emplace_back(row.key);
  }
  return keys;
}

}  // namespace tcpdiag
