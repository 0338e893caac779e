// SPDX-License-Identifier: Apache-2.0
#include "collectors/conntrack.h"

#include <string>
#include <vector>

#include "collectors/text.h"

namespace tcpdiag {
namespace {

constexpr auto kStat = "/proc/net/stat/nf_conntrack";

using Column = Count Conntrack::*;

// Kernel name -> our field. The column "entries" is left out: every line repeats the namespace's total.
Column column_of(std::string_view name) {
  if (name == "drop") return &Conntrack::drops;
  if (name == "early_drop") return &Conntrack::early_drops;
  if (name == "insert_failed") return &Conntrack::insert_failed;
  return nullptr;
}

std::vector<Column> parse_header(std::string_view line) {
  std::vector<Column> columns;
  for (auto name = next_word(line); !name.empty(); name = next_word(line)) columns.push_back(column_of(name));
  return columns;
}

bool add_cpu(std::string_view line, const std::vector<Column>& columns, Conntrack& sum) {
  for (const auto column : columns) {
    const auto value = to_number<std::uint32_t>(next_word(line), 16);
    if (!value) return false;
    if (column != nullptr) sum.*column = (sum.*column ? *(sum.*column) : 0) + *value;
  }
  return next_word(line).empty();
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

}  // namespace

Result<Conntrack> parse_conntrack_stat(std::string_view text) {
  const auto malformed = [](const std::string& what) {
    return unexpected(Errc::malformed, std::string(kStat) + ": " + what);
  };
  if (!text.ends_with('\n')) return malformed("cut off: no newline at its end");
  const auto columns = parse_header(next_line(text));
  if (columns.empty() || text.empty()) return malformed("no line of names and line of numbers");
  Conntrack sum;
  for (std::size_t line = 2; !text.empty(); ++line)
    if (!add_cpu(next_line(text), columns, sum))
      return malformed("line " + std::to_string(line) + " does not fit the names");
  return sum;
}

Result<Conntrack> read_conntrack(Source& source) {
  const auto entries = read_number(source, "/proc/sys/net/netfilter/nf_conntrack_count");
  if (!entries) return tl::unexpected<Error>(entries.error());
  const auto limit = read_number(source, "/proc/sys/net/netfilter/nf_conntrack_max");
  if (!limit) return tl::unexpected<Error>(limit.error());
  Result<Conntrack> conntrack;
  const auto stat = source.read(kStat);
  if (stat)
    conntrack = parse_conntrack_stat(*stat);
  else if (stat.error().code != Errc::missing)
    return tl::unexpected<Error>(stat.error());
  if (conntrack) {
    conntrack->entries = *entries;
    conntrack->limit = *limit;
  }
  return conntrack;
}

}  // namespace tcpdiag
