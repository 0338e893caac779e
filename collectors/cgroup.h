// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "collectors/source.h"
#include "core/owner.h"

namespace tcpdiag {

/// Whom the control groups that /proc/PID/cgroup names belong to (cgroups(7)): the innermost container of any
/// hierarchy, otherwise the unit of the unified hierarchy or of systemd's own. Units are named as systemctl
/// shows them, escaped.
///
/// A group's name is chosen by whoever makes it. A unit is the host's own only when nothing but slices stands
/// above it: these groups are root's, while a service, a session or a user's manager may have been given what
/// is below it. Nor who owns the directory is looked at: read_cgroup_owner() does.
Owner parse_cgroup_owner(std::string_view text);

/// Of the process whose directory of /proc it is; what its group is called need not be what it is where the
/// slice that holds it is not root's: then it is no unit of the host's (OwnerKind::other). Where the
/// directory cannot be seen, in a container without the host's mount, the path has to do.
Result<Owner> read_cgroup_owner(Source& source, const std::string& directory);

}  // namespace tcpdiag
