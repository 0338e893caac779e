// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>

#include "tests/incidents/actor.h"

namespace tcpdiag::incidents {

/// A web server with one small page, and clients that keep their connections and ask again as soon as they
/// have it: each of the two processes uses all of a core that it gets.
class BusyWeb {
 public:
  BusyWeb(std::uint16_t port, unsigned clients);
  /// Pages that the clients have got.
  [[nodiscard]] std::uint32_t pages() const { return clients_->pages; }

 private:
  struct Served {
    std::atomic<bool> listening = false;
  };
  struct Got {
    std::atomic<std::uint32_t> pages = 0;
  };

  Actor<Served> server_;
  Actor<Got> clients_;
};

}  // namespace tcpdiag::incidents
