// SPDX-License-Identifier: Apache-2.0
#include "collectors/conntrack.h"

#include <string>
#include <vector>

#include "core/text.h"

namespace tcpdiag {
namespace {

constexpr auto kStat = "/proc/net/stat/nf_conntrack";

using Column = std::optional<std::uint32_t> ConntrackCpu::*;

// Kernel name -> our field. The column "entries" is left out: every line repeats the namespace's total.
Column column_of(std::string_view name) {
  if (name == "drop") return &ConntrackCpu::drops;
  if (name == "early_drop") return &ConntrackCpu::early_drops;
  if (name == "insert_failed") return &ConntrackCpu::insert_failed;
  return nullptr;
}

std::vector<Column> parse_header(std::string_view line) {
  std::vector<Column> columns;
  for (auto name = next_word(line); !name.empty(); name = next_word(line)) columns.push_back(column_of(name));
  return columns;
}

// Empty when the line does not fit the names.
std::optional<ConntrackCpu> parse_cpu(std::string_view line, const std::vector<Column>& columns) {
  ConntrackCpu cpu;
  for (const auto column : columns) {
    const auto value = to_number<std::uint32_t>(next_word(line), 16);
    if (!value) return std::nullopt;
    if (column != nullptr) cpu.*column = value;
  }
  if (!next_word(line).empty()) return std::nullopt;
  return cpu;
}

// A sysctl of one number; empty where nf_conntrack is not loaded.
Result<Count> read_number(Source& source, const std::string& path) {
  const auto text = source.read(path);
  if (!text) {
    if (text.error().code == Errc::missing) return Count{};
    return tl::unexpected<Error>(text.error());
  }
  std::string_view rest = *text;
  const bool whole = rest.ends_with('\n');
  const auto value = to_number<std::uint64_t>(next_word(rest));
  if (!whole || !value || !next_word(rest).empty())
    return unexpected(Errc::malformed, path + ": not one number");
  return value;
}

void add(WrappingCounter& counter, std::optional<std::uint32_t> value, Count& sum) {
  if (value) sum = (sum ? *sum : 0) + counter.advance(*value);
}

}  // namespace

Result<std::vector<ConntrackCpu>> parse_conntrack_stat(std::string_view text) {
  const auto malformed = [](const std::string& what) {
    return unexpected(Errc::malformed, std::string(kStat) + ": " + what);
  };
  if (!text.ends_with('\n')) return malformed("cut off: no newline at its end");
  const auto columns = parse_header(next_line(text));
  if (columns.empty() || text.empty()) return malformed("no line of names and line of numbers");
  std::vector<ConntrackCpu> cpus;
  while (!text.empty()) {
    const auto cpu = parse_cpu(next_line(text), columns);
    if (!cpu) return malformed("line " + std::to_string(cpus.size() + 2) + " does not fit the names");
    cpus.push_back(*cpu);
  }
  return cpus;
}

Result<Conntrack> ConntrackReader::operator()(const Reading& reading) {
  Conntrack conntrack;
  const auto entries = read_number(reading.source, "/proc/sys/net/netfilter/nf_conntrack_count");
  if (!entries) return tl::unexpected<Error>(entries.error());
  const auto limit = read_number(reading.source, "/proc/sys/net/netfilter/nf_conntrack_max");
  if (!limit) return tl::unexpected<Error>(limit.error());
  conntrack.entries = *entries;
  conntrack.limit = *limit;

  const auto stat = reading.source.read(kStat);
  const bool missing = !stat && stat.error().code == Errc::missing;
  const auto generation = reading.source.generation();
  if (missing || generation != generation_) cpus_.clear();  // other counters, that begin anew
  generation_ = generation;
  if (missing) return conntrack;
  const auto cpus = stat.and_then([](const std::string& text) { return parse_conntrack_stat(text); });
  if (!cpus) return tl::unexpected<Error>(cpus.error());
  if (cpus_.size() < cpus->size()) cpus_.resize(cpus->size());
  for (std::size_t index = 0; index < cpus->size(); ++index) {
    const auto& cpu = (*cpus)[index];
    add(cpus_[index].drops, cpu.drops, conntrack.drops);
    add(cpus_[index].early_drops, cpu.early_drops, conntrack.early_drops);
    add(cpus_[index].insert_failed, cpu.insert_failed, conntrack.insert_failed);
  }
  return conntrack;
}

}  // namespace tcpdiag
