// SPDX-License-Identifier: Apache-2.0
// Numbers as people write them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace tcpdiag {

/// No decimals for a whole number, otherwise at most two; what is beyond 10^15 in short: "1.8e+19".
std::string number_text(double number);
/// A share: "43 %", below one percent with a decimal.
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
