// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "collectors/collector.h"
#include "collectors/netns_names.h"
#include "collectors/netns_scan.h"
#include "collectors/published_ports.h"
#include "core/facts/netns_list.h"

namespace tcpdiag {

/// Lists the network namespaces of the machine, with their names, and the host's ports that lead
/// into them. From inside of another one than that of
/// process 1, as under `ip netns exec`, only the own one: who asks there does not ask about its neighbours.
class NetnsListReader {
 public:
  Result<NetnsList> operator()(const Reading& reading);

 private:
  NetnsScan scan_;
  NetnsNames names_;
  PublishedPorts published_;
};

}  // namespace tcpdiag
