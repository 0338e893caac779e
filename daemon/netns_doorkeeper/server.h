// SPDX-License-Identifier: Apache-2.0
// The part of tcpdiagd that may enter network namespaces. It is small on purpose: it reads no file, knows no
// name and keeps nothing; whoever asks hands over a namespace and gets the same few items of it opened
// (collectors/netns_door.h), for reading.
#pragma once

#include <optional>

#include "core/file_descriptor.h"
#include "core/result.h"

namespace tcpdiag {

/// Answers one request that has come, or waits for one. False: the other side has closed the connection, or
/// said what is no request.
bool answer_request(int connection);

/// Answers what is asked on `connection` until its other end is closed.
void serve_connection(const FileDescriptor& connection);

/// Answers what is asked by whoever connects to the listening socket `listener`, at most kMostConnections at
/// a time: the one that was silent longest makes room. Returns when SIGTERM or SIGINT comes. Errors: poll(2).
Result<void> serve_listener(const FileDescriptor& listener);

inline constexpr std::size_t kMostConnections = 8;

}  // namespace tcpdiag
