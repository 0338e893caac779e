// SPDX-License-Identifier: Apache-2.0
#include "core/facts/listeners.h"

#include <algorithm>

namespace tcpdiag {

double fill_ratio(const ListenerSocket& socket) {
  return std::min(1.0,
                  static_cast<double>(socket.queue_length) / (static_cast<double>(socket.queue_limit) + 1));
}

bool is_full(const ListenerSocket& socket) { return socket.queue_length > socket.queue_limit; }

const ListenerSocket& Listener::fullest() const {
  return *std::max_element(
      sockets.begin(), sockets.end(),
      [](const ListenerSocket& a, const ListenerSocket& b) { return fill_ratio(a) < fill_ratio(b); });
}

}  // namespace tcpdiag
