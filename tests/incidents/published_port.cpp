// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/published_port.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <iterator>
#include <string>
#include <thread>
#include <utility>

#include "core/text.h"
#include "tests/shell.h"
#include "tests/sockets.h"

namespace tcpdiag::incidents {
namespace {

constexpr auto kProxy = "/run/docker-proxy";

// One way only: its clients say something and wait.
void pass_on(const FileDescriptor& client, std::uint16_t to) {
  const auto [server, error] = try_to_connect("10.0.0.2", to);
  std::array<char, 4096> buffer{};
  while (error == 0) {
    const auto length = ::recv(client.get(), buffer.data(), buffer.size(), 0);
    if (length <= 0 || ::send(server.get(), buffer.data(), static_cast<std::size_t>(length), 0) <= 0) return;
  }
}

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

void play_proxy(std::span<char*> arguments) {
  const auto port_behind = [&](std::string_view name) {
    const auto at =
        std::ranges::find(arguments, name, [](const char* word) { return std::string_view(word); });
    return to_number<std::uint16_t>(*std::next(at)).value();
  };
  const auto to = port_behind("-container-port");
  const auto listener = listen_on("0.0.0.0", port_behind("-host-port"), {.backlog = 4096});
  while (true) {
    pollfd readable{.fd = listener.get(), .events = POLLIN};
    ::poll(&readable, 1, -1);
    FileDescriptor client(::accept(listener.get(), nullptr, nullptr));
    if (!client) continue;
    std::thread(pass_on, std::move(client), to).detach();
  }
}

}  // namespace tcpdiag::incidents
