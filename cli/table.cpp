// SPDX-License-Identifier: Apache-2.0
#include "cli/table.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/utf8.h"

namespace tcpdiag {
namespace {

constexpr std::size_t kGap = 2;  // columns between two columns

std::string line_of(const std::vector<Cell>& cells, const std::vector<Column>& columns,
                    const std::vector<std::size_t>& widths, const TextStyle& style) {
  std::string line;
  std::size_t blanks = 0;  // owed before the next text
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto text = columns[i].cut == Cut::middle ? cut_middle_to(cells[i].text, widths[i])
                                                    : cut_to(cells[i].text, widths[i]);
    const auto padding = widths[i] - columns_of(text);
    if (columns[i].align == Align::right) blanks += padding;
    if (!text.empty()) line.append(std::exchange(blanks, 0), ' ').append(toned(text, cells[i].tone, style));
    if (columns[i].align == Align::left) blanks += padding;
    blanks += kGap;
  }
  return line + "\n";
}

}  // namespace

Table::Table(std::vector<Column> columns) {
  for (auto& column : columns) {
    shown_.push_back(column.shown);
    if (column.shown) columns_.push_back(std::move(column));
  }
}

void Table::add(std::vector<Cell> row) {
  std::vector<Cell> cells;
  for (std::size_t i = 0; i < row.size() && i < shown_.size(); ++i)
    if (shown_[i]) cells.push_back({one_line(row[i].text), row[i].tone});
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::vector<std::size_t> Table::widths(std::size_t most) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    auto width = columns_of(columns_[i].title);
    for (const auto& row : rows_) width = std::max(width, columns_of(row[i].text));
    widths.push_back(width);
  }
  auto total = std::accumulate(widths.begin(), widths.end(), kGap * (columns_.size() - 1));
  while (total > most) {
    std::size_t widest = columns_.size();
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const bool can_be_cut = columns_[i].least != 0 && widths[i] > columns_[i].least;
      if (can_be_cut && (widest == columns_.size() || widths[i] > widths[widest])) widest = i;
    }
    if (widest == columns_.size()) break;
    --widths[widest];
    --total;
  }
  return widths;
}

std::string Table::to_text(const TextStyle& style) const {
  std::string text;
  for (const auto& line : to_lines(style)) text += line;
  return text;
}

std::vector<std::string> Table::to_lines(const TextStyle& style) const {
  const auto widths = this->widths(style.columns);
  std::vector<Cell> titles;
  titles.reserve(columns_.size());
  for (const auto& column : columns_) titles.push_back({column.title, Tone::heading});
  std::vector<std::string> lines = {line_of(titles, columns_, widths, style)};
  for (const auto& row : rows_) lines.push_back(line_of(row, columns_, widths, style));
  return lines;
}

std::string shown(const Count& count) { return count ? std::to_string(*count) : "?"; }

std::string shown_share(std::optional<double> ratio) {
  if (!ratio) return "?";
  constexpr double kMost = 999'999;  // beyond every limit that makes sense, and within every number
  const auto percent = std::min(std::floor(*ratio * 100), kMost);
  if (percent < 1) return *ratio > 0 ? "<1%" : "0%";
  return std::to_string(static_cast<std::uint64_t>(percent)) + "%";
}

Tone tone_of_share(std::optional<double> ratio) {
  constexpr double kNear = 0.8;
  if (!ratio || *ratio < kNear) return Tone::plain;
  return *ratio < 1 ? Tone::warning : Tone::critical;
}

}  // namespace tcpdiag
