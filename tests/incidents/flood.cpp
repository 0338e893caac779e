// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/flood.h"

#include <chrono>
#include <string>
#include <thread>

#include "tests/sockets.h"

namespace tcpdiag::incidents {

void Flood::send(unsigned count) {
  const std::string link = v6_ ? "2001:db8::" : "192.0.2.";
  for (const auto last = sent_ + count; sent_ < last; ++sent_) {
    const auto host = std::to_string(10 + sent_ % 90);
    const auto from_port = static_cast<std::uint16_t>(1024 + sent_ / 90 % 60000);
    send_syn(link + host, from_port, link + "1", port_);
  }
}

void Flood::go_on(unsigned per_second) {
  process_ = Process("flood", "", [this, per_second] {
    for (;;) {
      send(1);
      std::this_thread::sleep_for(std::chrono::microseconds(1000000 / per_second));
    }
  });
}

}  // namespace tcpdiag::incidents
