// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "collectors/collector.h"
#include "collectors/inet_diag.h"

namespace tcpdiag {

/// Whether nothing would be noticed here if the peer of an established connection had vanished: nothing
/// unread, nothing on its way, and no timer.
bool is_unwatched(const DiagSocket& socket);

/// The idle connections of the server ports of processes that are near their limit of descriptors, as known
/// before: one dump for each port, Connections::kIdlePorts at most. What cannot be read is left out.
std::vector<IdleConnections> read_idle_connections(const Reading& reading, const Connections& connections);

}  // namespace tcpdiag
