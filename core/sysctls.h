// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

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
};

/// Every sysctl that the daemon reads, in the order in which Settings has them.
std::span<const SysctlSpec> sysctl_table();

/// The row of that name, or nullptr.
const SysctlSpec* find_sysctl(std::string_view name);

}  // namespace tcpdiag
