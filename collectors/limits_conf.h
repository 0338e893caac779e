// SPDX-License-Identifier: Apache-2.0
// The files that give logins their limits, limits.conf(5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/facts/host_config.h"

namespace tcpdiag {

/// What such a file says about open files.
struct LoginLimits {
  std::vector<LoginFileLimit> limits;  ///< at most HostConfig::kMaxLogins
  /// Whose value pam_limits does not take; at most HostConfig::kMaxIgnored.
  std::vector<IgnoredLine> ignored;
  std::uint64_t cut = 0;  ///< lines beyond these bounds
};

/// Parses "DOMAIN TYPE nofile VALUE" lines: '#' begins a comment, type and item may be in capitals, the value
/// is a number, "-1", "unlimited" or "infinity".
LoginLimits parse_login_limits(const std::string& file, std::string_view text);

/// The text with everything but lines about open files left out, every line in its place.
std::string only_login_limits(std::string_view text);

}  // namespace tcpdiag
