// SPDX-License-Identifier: Apache-2.0
// syn_flood TO PORT COUNT [EACH]: so many SYNs to TO:PORT at once, from addresses of TO's /24 that do not
// answer, and then EACH, or fifty, every 100 ms until the program is ended. It begins at ports that no
// earlier flood has come to: none of its SYNs comes again for a connection that is half-open still, as those
// of real clients do.
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <string>

#include "tests/sockets.h"

namespace {

constexpr std::size_t kUsual = 50;
constexpr unsigned kRound = 100'000;  // microseconds
constexpr std::size_t kAddresses = 250, kPorts = 60000;
constexpr std::size_t kPortsPerSecond = 16;  // more than a flood uses

void send_syns(const std::string& to, std::uint16_t port, std::size_t first, std::size_t count) {
  const auto network = to.substr(0, to.rfind('.') + 1);
  for (auto i = first; i < first + count; ++i) {
    const auto from = network + std::to_string(2 + i % kAddresses);
    tcpdiag::send_syn(from, static_cast<std::uint16_t>(1024 + i / kAddresses % kPorts), to, port);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) return 2;
  try {
    const auto port = static_cast<std::uint16_t>(std::atoi(argv[2]));
    const auto count = static_cast<std::size_t>(std::atoi(argv[3]));
    const auto each = argc == 5 ? static_cast<std::size_t>(std::atoi(argv[4])) : kUsual;
    auto next = static_cast<std::size_t>(std::time(nullptr)) * kPortsPerSecond * kAddresses;
    send_syns(argv[1], port, next, count);
    for (next += count;; next += each) {
      ::usleep(kRound);
      send_syns(argv[1], port, next, each);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "syn_flood: %s\n", error.what());
    return 1;
  }
}
