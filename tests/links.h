// SPDX-License-Identifier: Apache-2.0
// Links of the calling thread's network namespace. What the kernel refuses is an exception.
#pragma once

namespace tcpdiag {

void bring_up_loopback();

/// Adds a link to nowhere with the addresses 192.0.2.1/24 and 2001:db8::1/64: what is sent to another address
/// of these networks is never answered.
void add_link_to_nowhere();

}  // namespace tcpdiag
