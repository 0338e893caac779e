// SPDX-License-Identifier: Apache-2.0
// What tcpdiagd and tcpdiagd-netns say to one another over a SOCK_SEQPACKET socket: a request carries the
// descriptor of one network namespace, its answer the items that could be opened there (SCM_RIGHTS, unix(7)).
// No path and no number of a process is ever sent: whoever asks holds the namespace already.
#pragma once

#include <cstdint>
#include <optional>

#include "collectors/netns_door.h"
#include "core/file_descriptor.h"
#include "core/result.h"

namespace tcpdiag {

/// Both programs are installed together; one that is left running from before an update is told apart.
inline constexpr std::uint32_t kNetnsWireVersion = 1;

/// A namespace to be opened. The answer says the same number, so that one that comes late is told from the
/// one that is waited for.
struct NetnsRequest {
  std::uint32_t number = 0;
  FileDescriptor netns;
};

struct NetnsAnswer {
  std::uint32_t number = 0;
  Result<NetnsDoor> door;  ///< or why the namespace cannot be entered
};

/// What came with a message. Empty: the other side has closed the connection.
template <class T>
using Received = Result<std::optional<T>>;

/// Each sends or receives one message on `connection`. Errors: the socket fails or is not ready in time
/// (`timed_out`), what comes is not as described here (`malformed`).
Result<void> send_netns_request(int connection, std::uint32_t number, int netns);
Received<NetnsRequest> receive_netns_request(int connection);
Result<void> send_netns_answer(int connection, const NetnsAnswer& answer);
Received<NetnsAnswer> receive_netns_answer(int connection);

}  // namespace tcpdiag
