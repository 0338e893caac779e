// SPDX-License-Identifier: Apache-2.0
#include "tests/links.h"

#include "tests/shell.h"

namespace tcpdiag {

void bring_up_loopback() { run("ip link set lo up"); }

void add_link_to_nowhere() {
  run("ip link add nowhere type veth peer name end && ip link set end up && ip link set nowhere arp off up "
      "&& ip address add 192.0.2.1/24 dev nowhere && ip address add 2001:db8::1/64 dev nowhere nodad");
  // IPv6 begins to use a link some time after it is up.
  wait_until("routes to nowhere", [] {
    return run("ip -6 route get 2001:db8::9 2>&1 || true").find("dev nowhere") != std::string::npos &&
           run("ip link show nowhere").find("state UP") != std::string::npos &&
           run("ip -6 address show dev nowhere tentative").empty();
  });
}

}  // namespace tcpdiag
