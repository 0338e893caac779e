// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "core/facts/host_config.h"

namespace tcpdiag {

/// The section of its file that describes a unit: "[Service]" of "a@1.service"; of no unit, the manager's.
std::string unit_section(std::string_view unit);

/// A limit of open files as LimitNOFILE= gives it. An empty number: as much as there is ("infinity").
struct FileLimit {
  std::optional<std::uint64_t> soft, hard;

  /// The larger of the two that are numbers; empty: there is none.
  [[nodiscard]] std::optional<std::uint64_t> most() const;
};

/// The value as systemd reads it: "N", or "SOFT:HARD", which may have blanks in front of each; decimal, or in
/// C's notation hexadecimal (0x10000) and octal (0200000), or "infinity". No suffixes, no quotes. The error:
/// why it is passed over, so that an earlier value stays.
tl::expected<FileLimit, IgnoredBecause> parse_file_limit_value(std::string_view value);

/// The value fit for readers: as it is written, but in decimal where it is octal.
std::string readable_file_limit(std::string_view value);

}  // namespace tcpdiag
