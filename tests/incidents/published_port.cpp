// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/published_port.h"

#include <unistd.h>

#include <filesystem>
#include <string>

#include "tests/shell.h"

namespace tcpdiag::incidents {
namespace {

constexpr auto kProxy = "/run/docker-proxy";

}  // namespace

void forward_to_peer(std::uint16_t from, std::uint16_t to) {
  run("iptables -w -t nat -A OUTPUT -p tcp -d 10.0.0.1 --dport " + std::to_string(from) +
      " -j DNAT --to-destination 10.0.0.2:" + std::to_string(to));
}

Program start_docker_proxy(std::uint16_t from, std::uint16_t to) {
  std::filesystem::create_symlink(std::filesystem::read_symlink("/proc/self/exe"), kProxy);
  return {"docker-proxy",
          Side::home,
          {kProxy, "-proto", "tcp", "-host-ip", "0.0.0.0", "-host-port", std::to_string(from),
           "-container-ip", "10.0.0.2", "-container-port", std::to_string(to)}};
}

bool is_started_as_proxy(std::string_view program) { return program == kProxy; }

void play_proxy() {
  while (true) ::pause();
}

}  // namespace tcpdiag::incidents
