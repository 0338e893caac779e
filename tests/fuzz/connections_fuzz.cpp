// SPDX-License-Identifier: Apache-2.0
// Any sockets in any order, in several dumps: every one is counted once.
#include "collectors/connections.h"

using namespace tcpdiag;

namespace {

// Few different ones, so that they meet.
IpAddress address(std::uint8_t byte) {
  IpAddress address{.v6 = (byte & 4) != 0};
  if ((byte & 8) != 0) address.bytes[address.v6 ? 15 : 3] = byte & 3;
  if (address.v6 && (byte & 16) != 0) address.bytes[10] = address.bytes[11] = 0xff;
  return address;
}

void check(const Connections& connections, std::uint64_t added) {
  std::uint64_t counted = connections.client_other.total(), half_open = 0, syn_recv = 0;
  for (const auto& row : connections.client) counted += row.total();
  for (const auto& row : connections.server) {
    counted += row.total();
    syn_recv += row.count(TcpState::syn_recv);
    if (row.unread > row.accepted || row.accepted > row.count(TcpState::established)) __builtin_trap();
  }
  for (const auto& each : connections.unread)
    if (each.standing == 0 || each.accepted != 0 || each.not_read) __builtin_trap();
  std::uint64_t silent = connections.silent_cut;
  for (const auto& peer : connections.silent_peers) {
    silent += peer.connections;
    if (peer.connections == 0 || peer.standing > peer.connections) __builtin_trap();
  }
  if (silent > added || connections.silent_peers.size() > Connections::kSilentPeers) __builtin_trap();
  for (const auto& each : connections.half_open) half_open += each.count;
  if (counted != added || connections.sockets != added || half_open > syn_recv) __builtin_trap();
  if (connections.client.size() > Connections::kClientPorts) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static ConnectionCounter counter;  // making one takes longer than a run
  const PortRange ephemeral{1, 200};
  std::uint64_t added = 0;
  for (; size >= 8; data += 8, size -= 8) {
    if (data[0] == 0xff) {
      check(counter.finish(TimePoint(std::chrono::seconds(data[1]))), added);
      added = 0;
      continue;
    }
    counter.add({.state = static_cast<TcpState>(1 + data[0] % (kTcpStates - 1)),
                 .source = address(data[1]),
                 .destination = address(data[2]),
                 .source_port = data[3],
                 .destination_port = data[4],
                 .interface = data[5] % 3U,
                 .cookie = data[6],
                 .receive_queue = data[7] / 2U % 4U,
                 .timer = static_cast<DiagTimer>(data[7] / 8U % 5U),
                 .retransmits = static_cast<std::uint8_t>(data[5] / 3U),
                 .inode = data[7] % 2U},
                ephemeral);
    ++added;
  }
  check(counter.finish({}), added);
  check(counter.finish({}), 0);  // the CLOSE_WAIT sockets of this run are forgotten
  return 0;
}
