// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/terminal.h"
#include "core/section.h"

namespace tcpdiag {

enum class Align { left, right };

/// Where a text that is too long loses characters.
enum class Cut { end, middle };

/// One column of a table.
struct Column {
  std::string title;
  Align align = Align::left;
  /// When the table is too wide, its widest such columns are cut down to this. 0: this one is never cut.
  std::size_t least = 0;
  bool shown = true;  ///< false: the column and its cells are left out
  Cut cut = Cut::end;
};

/// What stands in one place of a table. Any bytes: they are shown as one line of valid UTF-8.
struct Cell {
  std::string text;
  Tone tone = Tone::plain;
};

/// A table for people: a line of titles, then the rows, in columns.
class Table {
 public:
  explicit Table(std::vector<Column> columns);

  /// A row has one cell for each column, those that are not shown included.
  void add(std::vector<Cell> row);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  /// Lines without blanks at their ends. Wider than the style allows only where nothing can be cut.
  [[nodiscard]] std::string to_text(const TextStyle& style) const;
  /// The same line by line, each with its newline: the titles, then the rows.
  [[nodiscard]] std::vector<std::string> to_lines(const TextStyle& style) const;

 private:
  [[nodiscard]] std::vector<std::size_t> widths(std::size_t most) const;

  std::vector<bool> shown_;      // of each column of the constructor
  std::vector<Column> columns_;  // those that are shown
  std::vector<std::vector<Cell>> rows_;
};

/// The number, or "?" when it is not known.
std::string shown(const Count& count);

/// A share in whole percent, rounded down so that nothing but what is full is "100%"; "<1%" for less than
/// one, "?" when it is not known.
std::string shown_share(std::optional<double> ratio);

/// How worrying the share of a limit is: critical when it is reached, a warning from 80 % on.
Tone tone_of_share(std::optional<double> ratio);

}  // namespace tcpdiag
