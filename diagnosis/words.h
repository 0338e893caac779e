// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "diagnosis/rule.h"

namespace tcpdiag {

/// `text` with its {names} replaced and [parts] that lack a value left out. A name that is not known outside
/// of brackets becomes "?". Brackets nest. What follows a
/// backslash is taken as it is.
std::string fill_in(std::string_view text, const Values& values);

/// Whether every name outside of brackets is known.
bool can_fill_in(std::string_view text, const Values& values);

/// `text` for the documentation: {port} becomes <port>, brackets go.
std::string as_pattern(std::string_view text);

/// A number as people write it: no decimals for a whole one, otherwise at most two.
std::string number_text(double number);
/// A share as people write it: "43 %", below one percent with a decimal.
std::string percent_text(double ratio);
/// "1 packet", "12 packets".
std::string counted(std::uint64_t count, std::string_view noun);
/// "once", "12 times".
std::string times_text(std::uint64_t count);
/// "512 bytes", "8 KiB", "2.2 GiB".
std::string bytes_text(double bytes);
/// "7 s", "5 min", "2 h".
std::string duration_text(std::chrono::seconds duration);

}  // namespace tcpdiag
