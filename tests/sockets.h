// SPDX-License-Identifier: Apache-2.0
// Real sockets in the calling thread's network namespace. What the kernel refuses is an exception.
#pragma once

#include <cstdint>
#include <string>

#include "core/file_descriptor.h"

namespace tcpdiag {

struct ListenOptions {
  int backlog = 128;
  bool v6_only = false;
  bool reuse_port = false;
  std::string device;  ///< SO_BINDTODEVICE
};

/// A socket that listens there; port 0 is one that the kernel chooses.
FileDescriptor listen_on(const std::string& address, std::uint16_t port, const ListenOptions& options = {});
std::uint16_t port_of(const FileDescriptor& socket);

/// A socket that has begun to connect; it does not wait for an answer.
FileDescriptor connect_to(const std::string& address, std::uint16_t port);
/// What came of connecting.
struct Attempt {
  FileDescriptor socket;  ///< empty unless it is connected
  int error = 0;          ///< errno of what failed: EADDRINUSE is bind()'s
};
/// Connects and waits until that is done. `from`: an address that it binds first, with a port that the kernel
/// chooses then; empty: none.
Attempt try_to_connect(const std::string& to, std::uint16_t port, const std::string& from = {});
/// The next connection of the listener; waits for one.
FileDescriptor accept_from(const FileDescriptor& listener);

/// From now on SYNs to the listener are dropped; handshakes that have begun go on.
void drop_syns_to(const FileDescriptor& listener);

/// Sends one SYN as if from that address and port.
void send_syn(const std::string& from, std::uint16_t from_port, const std::string& to, std::uint16_t to_port);

}  // namespace tcpdiag
