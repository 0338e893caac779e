// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "core/facts/connections.h"
#include "diagnosis/rule.h"
#include "diagnosis/window.h"

namespace tcpdiag {

/// A remote service to which the number of connections stays the same while a server's clients grow in
/// number.
struct FlatUpstream {
  Destination destination;
  std::uint64_t clients = 0;  ///< by how many connections to the server's ports grew meanwhile
};

/// What a server's requests may be waiting for while its descriptors grow: the remote service with the most
/// open connections, of those whose number did not change over the later part of that growth, though the
/// connections to the server's own ports grew with its descriptors. It is known of the namespace, not of the
/// process, so it is a hint. Empty: there is none, or a section is not known.
std::optional<FlatUpstream> flat_upstream(const Window& window, const Process& process);

/// Adds it to what is said about the process, if there is one: {upstream}, {upstream_connections} with its
/// evidence, {clients}.
void add_upstream(Facts& facts, const Window& window, const Process& process);

}  // namespace tcpdiag
