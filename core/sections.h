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
#include "core/facts/processes.h"
#include "core/facts/self_usage.h"
#include "core/facts/settings.h"
#include "core/facts/socket_usage.h"
#include "core/facts/softnet.h"
#include "core/facts/tcp_counters.h"
#include "core/snapshot.h"

namespace tcpdiag {

constexpr auto members_of(Type<NetnsView>) {
  return std::tuple(Member("name", &NetnsView::name), Member("tcp", &NetnsView::tcp),
                    Member("sockets", &NetnsView::sockets), Member("listeners", &NetnsView::listeners),
                    Member("connections", &NetnsView::connections), Member("settings", &NetnsView::settings),
                    Member("conntrack", &NetnsView::conntrack), Member("interfaces", &NetnsView::interfaces));
}

constexpr auto members_of(Type<Snapshot>) {
  return std::tuple(Member("at", &Snapshot::at, Shown::never), Member("files", &Snapshot::files),
                    Member("processes", &Snapshot::processes), Member("softnet", &Snapshot::softnet),
                    Member("memory", &Snapshot::memory), Member("config", &Snapshot::config),
                    Member("kernel_log", &Snapshot::kernel_log), Member("self", &Snapshot::self),
                    Member("namespaces", &Snapshot::namespaces));
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
