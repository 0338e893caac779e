// SPDX-License-Identifier: Apache-2.0
// What the words of rules can say about whoever keeps a process, and how it is restarted.
#pragma once

#include <string_view>

#include "core/owner.h"
#include "diagnosis/rule.h"

namespace tcpdiag {

/// Adds {unit}, its label, and what its keeper is told: of a unit of the host that can be restarted without
/// ending a whole session {service}; of a user's unit {user_service} and {user}, the uid; of a container that
/// the host's runtime knows, and that is no user's, {docker} or {podman}; of one that boots like a machine
/// {inside}, perhaps {inner_unit} and for machinectl {machine}; of a login {session}; of any other container
/// {pod}. A unit without a valid name is none.
void add_owner_values(Values& values, const Owner& owner);

/// Restarts what {service} and the others name; it stands for no command where nothing exact is known.
inline constexpr std::string_view kRestartCommand =
    "[systemctl restart -- {service}|systemctl --user -M {user}@ restart -- {user_service}|docker restart "
    "{docker}|podman restart {podman}|]";

}  // namespace tcpdiag
