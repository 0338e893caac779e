// SPDX-License-Identifier: Apache-2.0
// The one table of options: flags, configuration file, --help and docs/reference/config.md come from it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/option_value.h"
#include "daemon/options.h"

namespace tcpdiag {

/// One word of a few.
template <class Word>
struct WordOption {
  Word Options::* member;
  std::span<const Word> words;
};
/// A number above 0 and up to 1.
struct ShareOption {
  double Options::* member;
};
struct WholeOption {
  std::uint32_t Options::* member;
  std::uint32_t min, max;
};
/// A text that may be empty, which stands for none.
struct TextOption {
  std::string Options::* member;
  bool (*valid)(std::string_view);
  std::string_view allowed;
};
/// A list of texts without repetitions; its flag may be given several times.
struct ListOption {
  std::vector<std::string> Options::* member;
  std::size_t min, max;
  bool (*valid)(std::string_view);
  std::string_view allowed;
};
/// Which collectors are on: one pair of flags for each of them.
struct CollectorsOption {};

struct OptionRow {
  std::string_view key;          ///< in the configuration file
  std::string_view flag;         ///< "--log.level"
  std::string_view placeholder;  ///< of the flag's value in --help
  std::variant<WordOption<LogLevel>, WordOption<LogFormat>, ShareOption, WholeOption, TextOption, ListOption,
               CollectorsOption>
      kind;
  bool restart;  ///< a new value takes effect only after a restart
  std::string_view help;
};

std::span<const OptionRow> option_table();

/// What type the value has in the file: "text", "number", "list of texts", ...
std::string type_of(const OptionRow& row);
/// What values are allowed, as the end of a sentence: "a number above 0 and up to 1".
std::string allowed_by(const OptionRow& row);
/// The value in `options`, as the file would have it.
std::string shown(const OptionRow& row, const Options& options);
bool same(const OptionRow& row, const Options& a, const Options& b);
/// Gives `to` the value that `from` has.
void copy(const OptionRow& row, const Options& from, Options& to);

/// Stores a value. Empty: done; otherwise what is wrong with it, to be put behind the name of the key or
/// flag: " is 2; allowed: a number above 0 and up to 1". Then `options` is as it was.
std::optional<std::string> set(const OptionRow& row, const OptionValue& value, Options& options);

/// The value that a flag's texts stand for. Not for CollectorsOption.
OptionValue to_value(const OptionRow& row, const std::vector<std::string>& texts);

}  // namespace tcpdiag
