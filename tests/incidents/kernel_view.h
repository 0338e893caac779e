// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "collectors/connections.h"
#include "collectors/listeners.h"
#include "collectors/source.h"
#include "core/facts/tcp_counters.h"

namespace tcpdiag::incidents {

/// What the kernel says of one network namespace: the stage's own look at it, beside the daemon's. Each call
/// reads anew, and throws when it cannot.
class KernelView {
 public:
  /// `netns`: a name under /run/netns; empty: the caller's own.
  explicit KernelView(const std::string& netns = {});

  /// A counter's increase since this was made.
  [[nodiscard]] std::uint64_t increase(Count TcpCounters::* counter);

  /// The listener on that port; empty when there is none.
  std::optional<Listener> listener(std::uint16_t port);
  /// Connections in its fullest member's accept queue; 0 without a listener.
  std::uint32_t queue(std::uint16_t port);
  /// Whether its fullest member's queue takes no more.
  bool queue_is_full(std::uint16_t port);

  Connections connections();
  /// Connections of a port with a listener.
  PortConnections server(std::uint16_t port);
  /// Connections to a remote port.
  PortConnections client(std::uint16_t port);
  /// SYN_RECV of the listeners on that port.
  std::uint32_t half_open(std::uint16_t port);

 private:
  TcpCounters counters();

  std::unique_ptr<Source> source_;
  ListenersReader listeners_;
  ConnectionsReader connections_;
  TcpCounters at_start_;
};

}  // namespace tcpdiag::incidents
