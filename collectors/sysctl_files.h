// SPDX-License-Identifier: Apache-2.0
// The files that set sysctls at boot, sysctl.d(5) and sysctl.conf(5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/facts/host_config.h"

namespace tcpdiag {

/// The assignments and exclusions of one file; `exists` of them is not known.
struct SysctlFile {
  std::vector<SysctlLine> lines;
  /// Lines that are neither, nor comments; at most HostConfig::kMaxIgnored.
  std::vector<IgnoredLine> ignored;
  std::uint64_t cut = 0;  ///< lines left out: beyond the bounds, or longer than kMaxSysctlText
};

/// A longer name or value is none that a kernel has.
inline constexpr std::size_t kMaxSysctlText = 1024;

/// Shown in place of a value that must not be known: tcp_fastopen_key and stable_secret.
inline constexpr std::string_view kHiddenValue = "(hidden)";

/// Parses such a file as systemd-sysctl does: "name = value" in each line, a '-' in front to pass over
/// errors,
/// "-name" alone to keep a key out of patterns, '#' and ';' at the beginning of a line before comments. What
/// follows a value belongs to it, and the kernel decides (taken_value). A name whose first separator is a '.'
/// has '/' for a dot inside a part, as in net.ipv4.conf.eth0/100.rp_filter; with a '/' first it is a path
/// below /proc/sys. Of either the name has dots. At most `most` lines are kept.
SysctlFile parse_sysctl_file(const std::string& file, std::string_view text, std::size_t most);

/// The text with the values of parse_sysctl_file's hidden names replaced, and with them whole lines that name
/// one and are no assignment.
std::string without_secrets(std::string_view text);

}  // namespace tcpdiag
