// SPDX-License-Identifier: Apache-2.0
// All sections with what they hold, for what treats them alike.
#pragma once

#include "core/facts/connections.h"
#include "core/facts/conntrack.h"
#include "core/facts/file_handles.h"
#include "core/facts/host_config.h"
#include "core/facts/interfaces.h"
#include "core/facts/kernel_log.h"
#include "core/facts/listeners.h"
#include "core/facts/memory_info.h"
#include "core/facts/netns_list.h"
#include "core/facts/processes.h"
#include "core/facts/self_usage.h"
#include "core/facts/settings.h"
#include "core/facts/socket_usage.h"
#include "core/facts/softnet.h"
#include "core/facts/tcp_counters.h"
#include "core/snapshot.h"

namespace tcpdiag {

constexpr auto members_of(Type<NetnsView>, auto member) {
  return std::tuple(member("id", &NetnsView::id, Shown::never),
                    member("generation", &NetnsView::generation, Shown::never),
                    member("name", &NetnsView::name), member("tcp", &NetnsView::tcp),
                    member("sockets", &NetnsView::sockets), member("listeners", &NetnsView::listeners),
                    member("connections", &NetnsView::connections), member("settings", &NetnsView::settings),
                    member("conntrack", &NetnsView::conntrack), member("interfaces", &NetnsView::interfaces));
}

constexpr auto members_of(Type<Snapshot>, auto member) {
  return std::tuple(member("at", &Snapshot::at, Shown::never), member("files", &Snapshot::files),
                    member("processes", &Snapshot::processes), member("softnet", &Snapshot::softnet),
                    member("memory", &Snapshot::memory), member("config", &Snapshot::config),
                    member("kernel_log", &Snapshot::kernel_log), member("self", &Snapshot::self),
                    member("netns_list", &Snapshot::netns_list), member("namespaces", &Snapshot::namespaces));
}

template <class T>
inline constexpr bool kIsSection = false;
template <class T>
inline constexpr bool kIsSection<Section<T>> = true;

/// Calls visit(member, section) for each section of a Snapshot or NetnsView.
template <class Holder, class Visit>
void for_each_section(const Holder& holder, Visit visit) {
  for_each_member(holder, [&]<class T>(const auto& member, const T& section) {
    if constexpr (kIsSection<T>) visit(member, section);
  });
}

}  // namespace tcpdiag
