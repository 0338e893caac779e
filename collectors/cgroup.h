// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "core/owner.h"

namespace tcpdiag {

/// Whom the control groups that /proc/PID/cgroup names belong to (cgroups(7)): the innermost container of any
/// hierarchy, otherwise the unit of the unified hierarchy or of systemd's own. Units are named as systemctl
/// shows them, escaped.
///
/// A group's name is chosen by whoever makes it. A unit is the host's own only when nothing but slices stands
/// above it: these groups are root's, while a service, a session or a user's manager may have been given what
/// is below it. The path is all that is looked at, not who owns the directory: that is in a mount that need
/// not be ours.
Owner parse_cgroup_owner(std::string_view text);

}  // namespace tcpdiag
