// SPDX-License-Identifier: Apache-2.0
// One function for each file of rules: the families of the catalogue.
#pragma once

#include <span>

#include "diagnosis/rule.h"

namespace tcpdiag {

std::span<const Rule> accept_queue_rules();
std::span<const Rule> overflow_rules();
std::span<const Rule> listener_rules();
std::span<const Rule> unread_rules();
std::span<const Rule> syn_queue_rules();
std::span<const Rule> unanswered_rules();
std::span<const Rule> connect_refused_rules();
std::span<const Rule> ephemeral_port_rules();
std::span<const Rule> close_wait_rules();
std::span<const Rule> path_rules();
std::span<const Rule> time_wait_rules();
std::span<const Rule> reset_rules();
std::span<const Rule> descriptor_rules();
std::span<const Rule> conntrack_rules();
std::span<const Rule> host_rules();
std::span<const Rule> settings_rules();
std::span<const Rule> local_port_rules();
std::span<const Rule> configuration_rules();
std::span<const Rule> ignored_line_rules();
std::span<const Rule> next_boot_rules();

}  // namespace tcpdiag
