// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cli/daemon_answer.h"
#include "cli/findings_answer.h"
#include "cli/netns_choice.h"
#include "core/report.h"
#include "daemon/clock.h"

namespace tcpdiag {

/// What counts for the exit status of a check.
struct CheckPolicy {
  bool critical_only = false;                  ///< a warning counts as nothing
  Severity unknown_from = Severity::critical;  ///< what is not known of a rule that finds less does not count
  /// Findings, and collectors that would have to know: what they leave unknown does not count.
  std::vector<std::string> ignored_unknown{};
};

/// What `tcpdiag check` is asked to do.
struct CheckOptions {
  /// Empty: kUsualCheck, and longer when a rule has seen the beginning of something, up to kLongestCheck.
  std::optional<std::chrono::milliseconds> duration;
  CheckPolicy policy;
  bool json = false;
  bool brief = false;                   ///< a line for each finding, no details
  DaemonAddress daemon;                 ///< to ask; empty: look at this host
  std::vector<std::string> namespaces;  ///< as parse_namespaces(); none: everywhere
};

/// The exit statuses of `tcpdiag check`, those of a monitoring plugin.
enum class CheckStatus { nothing = 0, warning = 1, critical = 2, cannot_tell = 3 };

/// How long a check looks: longer than it takes to tell a server that is slow from one that is not, and at
/// most as long as any rule needs to tell a critical finding from something that passes.
inline constexpr std::chrono::seconds kUsualCheck{12}, kLongestCheck{30};

/// The worst of what was found; info counts as nothing. cannot_tell: nothing worse was found, and a rule that
/// would find something critical could not be judged, or namespaces were not looked into that nobody has left
/// out. Unknown warnings do not count: a probe that always
/// exits with 3 helps no one, and the answer names them.
CheckStatus status_of(const FindingsAnswer& answer, const CheckPolicy& policy);

/// How long to look: the second while a rule has seen the beginning of something.
struct LookTime {
  std::chrono::milliseconds usual = kUsualCheck, longest = kLongestCheck;
};

/// What was found on this host, where it was chosen, while it was looked at; also what is gone again. Ends
/// early when SIGINT or SIGTERM asks to stop.
Report look_at_this_host(const NetnsChoice& netns, const LookTime& time, const Clocks& clocks);

}  // namespace tcpdiag
