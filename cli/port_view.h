// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "cli/closed_by_peer.h"
#include "cli/terminal.h"
#include "core/report.h"

namespace tcpdiag {

/// The report with the listeners and connections of other service ports left out. Client connections to ports
/// that are not counted one by one stay where they are: in client_other, whatever their port.
Report only_port(Report report, std::uint16_t port);

/// All that is known about one service port: connections by state, its listeners, the oldest in CLOSE_WAIT
/// with their peers and holders, the destinations. `report` is one that only_port() has made.
std::string port_text(const Report& report, std::uint16_t port, const ClosedByPeer& closed,
                      const TextStyle& style);

}  // namespace tcpdiag
