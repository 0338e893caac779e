// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace tcpdiag {

/// What an operator calls the control group that /proc/PID/cgroup names (cgroups(7)): the innermost container
/// as its runtime and the first twelve digits of its id, "docker:0123456789ab"; otherwise the innermost
/// systemd unit that holds processes, "nginx.service" or "session-3.scope", escaped as systemctl shows it.
/// Empty: in neither, or the text is not such a file. The runtime is "docker", "podman", "containerd", "crio"
/// or, where the path does not tell, "container".
std::string parse_cgroup_unit(std::string_view text);

}  // namespace tcpdiag
