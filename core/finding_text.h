// SPDX-License-Identifier: Apache-2.0
// Parts of a finding as people read them, the same on a terminal and on the page. Any bytes in names stay as
// they are.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/finding.h"

namespace tcpdiag {

/// What it is about, with all that is known of it: "0.0.0.0:5000 gunicorn[812] app.service in namespace
/// blue".
std::string subject_text(const Finding& finding);

/// The process that it is about, or else what it runs in: "redis-server[27579]", "app.service"; "-": not
/// known, or none.
std::string who_text(const Finding& finding);

/// The endpoint, the setting or the namespace: "0.0.0.0:6379", "[::]:80 in blue"; "-": the whole host.
std::string where_text(const Finding& finding);

/// What is wrong and what to do first, as the end of a line. `is_past`: it is over, which has no advice.
std::string cause_and_action(const Finding& finding, bool is_past);

/// "in 30 s"; "now" for a present value.
std::string window_text(const Evidence& evidence);

/// Its unit as it fits to its value: "connections", but "connection" of 1.
std::string unit_text(const Evidence& evidence);

/// "listen backlog = 128, at most net.core.somaxconn = 4096"
std::string limit_text(const Bites& bites);

/// Rules that cannot tell for the same reason in the same namespace.
struct UnknownGroup {
  std::string netns;             ///< empty: the machine or the daemon's own namespace
  std::vector<std::string> ids;  ///< none twice
  std::string why;
};

/// In the order in which the reasons come.
std::vector<UnknownGroup> by_reason(std::span<const Unknown> unknown);

/// "a, b, c"
std::string joined(const std::vector<std::string>& words);

}  // namespace tcpdiag
