// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/terminal.h"
#include "core/report.h"

namespace tcpdiag {

/// What `tcpdiag connections` shall do.
struct ConnectionsOptions {
  std::optional<std::uint16_t> port;    ///< only connections that have it as their service port
  std::vector<std::string> namespaces;  ///< as parse_namespaces(); none: everywhere
  bool json = false;
};

/// The connections of every namespace whose connections are known, by service port, what waits or is stuck
/// first, and the destinations that use most ephemeral ports.
std::string connections_text(const Report& report, const TextStyle& style);

/// The destinations that use most ephemeral ports, at most so many of each namespace; empty when there are
/// none.
std::string destinations_text(const Report& report, std::size_t most, const TextStyle& style);

/// Tables with an empty line between them.
std::string joined_tables(const std::vector<std::string>& tables);

}  // namespace tcpdiag
