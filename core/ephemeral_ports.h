// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/snapshot.h"

namespace tcpdiag {

/// How many local ports the kernel can choose by itself for one destination: the size of ip_local_port_range
/// without the ports of ip_local_reserved_ports in it. Empty when either could not be read.
Count ephemeral_ports(const Settings& settings);

}  // namespace tcpdiag
