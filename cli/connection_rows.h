// SPDX-License-Identifier: Apache-2.0
// What tables about connections are made of.
#pragma once

#include <chrono>
#include <initializer_list>
#include <string>
#include <vector>

#include "core/facts/connections.h"
#include "core/snapshot.h"

namespace tcpdiag {

/// Connections of one service port, or of all client ports that are not counted one by one. Refers to a
/// snapshot.
struct ConnectionRow {
  const NetnsView* netns;
  const PortConnections* connections;
  bool server;
  bool other = false;  ///< Connections::client_other
};

/// Of every namespace whose connections are known, what waits or is stuck first; the other client ports at
/// the end.
std::vector<ConnectionRow> connection_rows(const Snapshot& snapshot, bool server);

/// How many connections are in one of these states.
std::uint64_t in_states(const PortConnections& connections, std::initializer_list<TcpState> states);

/// Of the row's connections in CLOSE_WAIT that a process holds the one that was seen first; nullptr: there is
/// none, or that is not told for the other ports.
const CloseWait* oldest_close_wait(const ConnectionRow& row);

/// How long the socket has been in CLOSE_WAIT as far as was seen, perhaps much longer: "≥2m30s".
std::string age_of(const CloseWait& socket, const NetnsView& netns);

/// "45s", "2m30s", "3h", "1d2h": no more than two units, rounded down.
std::string age_text(std::chrono::nanoseconds age);

}  // namespace tcpdiag
