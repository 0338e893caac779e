// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tcpdiag {

/// A server program whose accept queue is set by a knob of its own.
struct KnownServer {
  /// Comm as the kernel has it, at most 15 bytes; a trailing * stands for any rest.
  std::string_view process;
  std::string_view name;      ///< as people call it
  std::string_view backlog;   ///< where its backlog is set; {backlog} stands for the number
  std::string_view standard;  ///< its backlog when nothing is set
  /// Where it limits its descriptors by itself; {limit} stands for the number. Empty: it does not.
  std::string_view descriptors{};
  /// Where it limits the connections that it has open at a time: at that limit it accepts no more and lets
  /// them wait in the queue. Empty: it does not, or it refuses them with an answer.
  std::string_view connections{};
  /// Whether at that limit it may also accept further ones and close them at once, unread, as nginx does
  /// without accept_mutex.
  bool closes_beyond = false;
};

/// The table, for the documentation.
std::span<const KnownServer> known_servers();

/// The row for a process name, or nullptr.
const KnownServer* find_known_server(std::string_view process);

/// The server's own knob for that backlog, "gunicorn --backlog 2048"; empty: not a known server.
std::optional<std::string> server_knob(std::string_view process, std::string_view backlog);

/// The same for its limit of descriptors; empty: not a known server, or it has none of its own.
std::optional<std::string> descriptor_knob(std::string_view process, std::string_view limit);

/// The same for the connections that it has open at a time; empty: not a known server, or it has no such
/// limit.
std::optional<std::string> connection_knob(std::string_view process);

/// That of a server that may close further connections at once; empty: not a known one, or it lets them wait.
std::optional<std::string> closing_knob(std::string_view process);

}  // namespace tcpdiag
