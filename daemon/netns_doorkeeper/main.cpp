// SPDX-License-Identifier: Apache-2.0
#include <sys/socket.h>
#include <unistd.h>

#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "collectors/netns.h"
#include "core/version.h"
#include "daemon/netns_doorkeeper/listen.h"
#include "daemon/netns_doorkeeper/server.h"

namespace {

using namespace tcpdiag;

constexpr std::string_view kListen = "--listen=";
constexpr std::string_view kUsage =
    R"(tcpdiagd-netns [--listen=PATH]

Opens sockets and files inside of network namespaces for tcpdiagd, which hands the namespaces over. It is the
only part of it that has CAP_SYS_ADMIN. As a service it is started by systemd (tcpdiagd-netns.socket).

  --listen=PATH  listen on a socket there, mode 0660; anyone who may connect to it can read the counters, sockets
                 and settings of every namespace that they can open
  --version      the version
  --help         this text
)";

int failed(const Error& error) {
  std::cerr << "tcpdiagd-netns: " << error.detail << "\n";
  return 1;
}

int run(const std::vector<std::string_view>& arguments) {
  if (arguments.size() == 1 && arguments[0] == "--help") {
    std::cout << kUsage;
    return 0;
  }
  if (arguments.size() == 1 && arguments[0] == "--version") {
    std::cout << "tcpdiagd-netns " << version() << "\n";
    return 0;
  }
  const bool listens = arguments.size() == 1 && arguments[0].starts_with(kListen);
  if (!listens && !arguments.empty()) {
    std::cerr << kUsage;
    return 2;
  }
  const auto listener =
      listens ? listen_at(std::string(arguments[0].substr(kListen.size()))) : listener_of_systemd();
  if (!listener) return failed(listener.error());
  if (!may_enter_netns())
    std::cerr << "tcpdiagd-netns: may not enter network namespaces; that takes CAP_SYS_ADMIN\n";
  if (const auto served = serve_listener(*listener); !served) return failed(served.error());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "tcpdiagd-netns: " << error.what() << "\n";
    return 1;
  }
}
