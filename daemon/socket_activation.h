// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace tcpdiag {

/// The sockets that the service manager listens on for the process `own_pid` (sd_listen_fds(3)), from the
/// variables LISTEN_FDS and LISTEN_PID (nullptr: not set). Empty: none, or they are for another process.
std::vector<int> inherited_sockets(const char* fds, const char* pid, long own_pid);

/// Those of this process, as the environment names them.
std::vector<int> sockets_of_this_process();

}  // namespace tcpdiag
