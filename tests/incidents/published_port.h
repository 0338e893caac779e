// SPDX-License-Identifier: Apache-2.0
// A port of home's that leads to one of the peer's, as Docker publishes it: a rule of netfilter, and a
// process called docker-proxy whose command line says what leads where.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "tests/incidents/daemon.h"

namespace tcpdiag::incidents {

/// Lets connections to 10.0.0.1 and that port of home's come to 10.0.0.2 and that port of the peer's. Takes
/// iptables.
void forward_to_peer(std::uint16_t from, std::uint16_t to);

/// The process beside it. It takes the connections to that port of home's that no rule leads elsewhere, those
/// to 127.0.0.1 for example, and passes what comes on to the peer, as soon as that has answered.
Program start_docker_proxy(std::uint16_t from, std::uint16_t to);

/// Whether this program was started as docker-proxy, from its first argument; then it calls play_proxy() with
/// the others.
bool is_started_as_proxy(std::string_view program);
[[noreturn]] void play_proxy(std::span<char*> arguments);

}  // namespace tcpdiag::incidents
