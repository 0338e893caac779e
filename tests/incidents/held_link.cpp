// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/held_link.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "core/file_descriptor.h"
#include "tests/shell.h"

namespace tcpdiag::incidents {
namespace {

// The queue reckons with its new rate only when something is put into it.
void send_datagram() {
  const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in peer{.sin_family = AF_INET, .sin_port = htons(9)};
  ::inet_pton(AF_INET, "10.0.0.2", &peer.sin_addr);
  ::sendto(socket.get(), "", 0, 0, reinterpret_cast<const sockaddr*>(&peer), sizeof peer);
}

}  // namespace

HeldLink::HeldLink() { run("tc qdisc add dev to-peer root tbf rate 8bit burst 200 limit 100kb"); }

void HeldLink::let_go() {
  run("tc qdisc change dev to-peer root tbf rate 64kbit burst 200 limit 100kb");
  send_datagram();
}

}  // namespace tcpdiag::incidents
