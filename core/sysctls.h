// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tcpdiag {

/// How the file of a sysctl reads.
enum class SysctlForm {
  numbers,  ///< as many numbers as the sysctl has fields
  word,     ///< a name, such as "cubic": it has a text and no numbers
  ports,    ///< a list of port ranges such as "8080,9000-9010": its one number is how many ports it holds
};

/// What a sysctl belongs to. One that belongs to the machine is read in the daemon's own namespace only: in
/// others it is absent, or shows the same value.
enum class SysctlScope { netns, machine };

/// Which numbers the kernel takes; it refuses to write others. As wide as any kernel's since 5.10, and
/// without an end where that is not known.
struct SysctlBounds {
  std::int64_t least = std::numeric_limits<std::int64_t>::min();
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  bool since_5_14 = false;  ///< older kernels may take more
  bool ascending = false;   ///< no number may be below the one before it
};

/// A sysctl that the daemon reads, with what people and exporters need to know about it.
struct SysctlSpec {
  std::string_view name;  ///< "net.core.somaxconn"; dots for slashes below /proc/sys
  SysctlForm form;
  SysctlScope scope;
  /// One name for each number, in the file's order: {"min", "default", "max"}; {""} for a lone number, none
  /// for a word.
  std::span<const std::string_view> fields;
  std::string_view unit;  ///< "bytes", "seconds", ...; empty for switches and words
  std::string_view help;  ///< one sentence: what it does
  SysctlBounds bounds{};
};

/// Every sysctl that the daemon reads, in the order in which Settings has them.
std::span<const SysctlSpec> sysctl_table();

/// The row of that name, or nullptr.
const SysctlSpec* find_sysctl(std::string_view name);

/// The path below /proc/sys of a name with dots: "net/ipv4/conf/eth0.100/rp_filter" for
/// "net.ipv4.conf.eth0/100.rp_filter".
std::string sysctl_path(std::string_view name);

/// A value that was written to a sysctl, as the kernel takes it.
struct TakenValue {
  std::vector<std::int64_t> numbers;  ///< in their order, perhaps fewer than the fields; of words none
  std::string text;                   ///< as /proc/sys shows it: "1024\t65000", "cubic"
};

/// What the kernel makes of a value in a file. Numbers are decimal, hexadecimal (0x80) or octal (0200) and
/// stand apart by blanks; behind the last one that the sysctl has anything may follow, so a comment does no
/// harm. A word and a list of ports stand alone. Empty: the kernel refuses it, and so the line does nothing.
/// Whether a number is in the sysctl's range is not judged.
std::optional<TakenValue> taken_value(const SysctlSpec& spec, std::string_view written);

/// The place of the first number that is not within the bounds, or how many numbers there are.
std::size_t first_out_of_bounds(const SysctlBounds& bounds, std::span<const std::int64_t> numbers);

}  // namespace tcpdiag
