// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace tcpdiag::incidents {

/// Holds back what home sends to the peer, but for a packet or two, so that handshakes stay half-open until
/// it is let go.
class HeldLink {
 public:
  HeldLink();
  /// What was held goes out now, at 64 kbit/s: some hundred segments each second.
  void let_go();
};

}  // namespace tcpdiag::incidents
