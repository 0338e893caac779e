// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/own_addresses.h"

#include <algorithm>

#include "core/facts/interfaces.h"
#include "core/owners.h"
#include "diagnosis/entry.h"

namespace tcpdiag {
namespace {

bool is_any(const IpAddress& address) { return address.unmapped() == IpAddress{.v6 = address.unmapped().v6}; }

bool listens_on(const NetnsView& netns, const IpAddress& wanted) {
  const auto* listeners = netns.listeners.get();
  return listeners != nullptr && std::ranges::any_of(listeners->listeners, [&](const Listener& listener) {
           return listener.endpoint.address.unmapped() == wanted;
         });
}

bool is_source(const NetnsView& netns, const IpAddress& wanted) {
  const auto* connections = netns.connections.get();
  if (connections == nullptr) return false;
  const auto is_its = [&](const Destination& each) { return each.source == wanted; };
  return std::ranges::any_of(connections->destinations, is_its) ||
         std::ranges::any_of(connections->unanswered, is_its);
}

Known has_address(const NetnsView& netns, const IpAddress& wanted) {
  const auto* interfaces = netns.interfaces.get();
  if (interfaces != nullptr && std::ranges::binary_search(interfaces->addresses, wanted)) return Known::yes;
  if (listens_on(netns, wanted) || is_source(netns, wanted)) return Known::yes;
  return interfaces != nullptr && interfaces->addresses_cut == 0 ? Known::no : Known::not_known;
}

/// A user can give a namespace of its own any address, also that of a server elsewhere.
bool is_users_own(const Snapshot& snapshot, const NetnsView& netns) {
  const auto* found = found_as(snapshot, netns);
  return found != nullptr && !found->of_machine;
}

/// nullptr: no other namespace of the machine's has it, or several do.
const NetnsView* only_other_with(const Snapshot& snapshot, NetnsId own, const IpAddress& wanted) {
  const NetnsView* only = nullptr;
  for (const auto& netns : snapshot.namespaces) {
    if (netns.id == own || is_users_own(snapshot, netns) || has_address(netns, wanted) != Known::yes)
      continue;
    if (only != nullptr) return nullptr;
    only = &netns;
  }
  return only;
}

/// The one on that address before one on all.
const PublishedPort* published_at(const Snapshot& snapshot, const Destination& destination) {
  const auto* list = snapshot.netns_list.get();
  if (list == nullptr) return nullptr;
  const auto wanted = destination.destination.unmapped();
  const PublishedPort* on_all = nullptr;
  for (const auto& port : list->published) {
    if (port.host_port != destination.port) continue;
    if (port.host_address.unmapped() == wanted) return &port;
    if (is_any(port.host_address) && port.host_address.v6 == wanted.v6) on_all = &port;
  }
  return on_all;
}

/// The container's own address, which a listener in it may be bound to; 0.0.0.0: not known.
IpAddress address_in(const NetnsView& netns) {
  const auto* interfaces = netns.interfaces.get();
  if (interfaces == nullptr) return {};
  const auto found = std::ranges::find_if(
      interfaces->addresses, [](const IpAddress& each) { return !each.v6 && !is_loopback(each); });
  return found == interfaces->addresses.end() ? IpAddress() : *found;
}

/// podman notes only that it has published the host's port, by holding it. It is one of those that the
/// container listens on: the only one, or that of the same number.
std::optional<std::uint16_t> held_port(const NetnsView& netns, std::uint16_t held) {
  const auto* inside = netns.listeners.get();
  if (inside == nullptr) return std::nullopt;
  std::optional<std::uint16_t> only;
  for (const auto& each : inside->listeners) {
    if (is_loopback(each.endpoint.address)) continue;
    if (each.endpoint.port == held) return held;
    if (only && *only != each.endpoint.port) return std::nullopt;
    only = each.endpoint.port;
  }
  return only;
}

/// The container whose conmon holds that port of the host.
std::optional<ServedThere> behind_conmon(const Snapshot& snapshot, const NetnsView& host,
                                         const Destination& destination) {
  const auto* processes = snapshot.processes.get();
  const auto* listeners = host.listeners.get();
  const auto* held =
      processes == nullptr || listeners == nullptr ? nullptr : listener_for(*listeners, destination);
  const auto* holder = held == nullptr ? nullptr : main_owner(*processes, *held);
  if (holder == nullptr) return std::nullopt;
  for (const auto& netns : snapshot.namespaces) {
    const auto* found = found_as(snapshot, netns);
    if (found == nullptr || found->conmon_pid != holder->pid || is_users_own(snapshot, netns)) continue;
    const auto port = held_port(netns, destination.port);
    if (!port) return std::nullopt;
    return ServedThere{&netns,
                       {.source = destination.source,
                        .destination = address_in(netns),
                        .port = *port,
                        .local_ports = destination.local_ports}};
  }
  return std::nullopt;
}

std::optional<ServedThere> behind_port(const Snapshot& snapshot, NetnsId own, const PublishedPort& port) {
  const auto* netns = only_other_with(snapshot, own, port.container_address.unmapped());
  if (netns == nullptr) return std::nullopt;
  return ServedThere{netns,
                     {.source = {}, .destination = port.container_address, .port = port.container_port}};
}

std::optional<ServedThere> behind_published(const Snapshot& snapshot, const NetnsView& own,
                                            const NetnsView& host, const Destination& destination) {
  const auto* port = published_at(snapshot, destination);
  if (port == nullptr) return behind_conmon(snapshot, host, destination);
  auto behind = behind_port(snapshot, own.id, *port);
  if (!behind) return std::nullopt;
  behind->there.source = destination.source;
  behind->there.local_ports = destination.local_ports;
  return behind;
}

std::optional<ServedThere> served_in(const Snapshot& snapshot, const NetnsView& own, bool is_own,
                                     const Destination& destination) {
  const auto* at = is_own ? &own : only_other_with(snapshot, own.id, destination.destination.unmapped());
  if (at == nullptr) return std::nullopt;
  if (at->id == NetnsId::host)
    if (const auto behind = behind_published(snapshot, own, *at, destination)) return behind;
  if (is_own) return std::nullopt;
  return ServedThere{at, destination};
}

}  // namespace

bool is_loopback(const IpAddress& address) {
  const auto plain = address.unmapped();
  constexpr IpAddress kLoopback6{.v6 = true, .bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
  return plain.v6 ? plain == kLoopback6 : plain.bytes[0] == 127;
}

Known is_own_address(const Window& window, const Destination& destination) {
  if (is_loopback(destination.destination) || destination.source == destination.destination)
    return Known::yes;
  return has_address(window.netns(), destination.destination.unmapped());
}

std::optional<ServedThere> served_there(const Window& window, const Destination& destination) {
  const bool is_own = is_own_address(window, destination) == Known::yes;
  return served_in(window.newest(), window.netns(), is_own, destination);
}

std::optional<NetnsId> formerly_served(const Window& window, const Destination& destination) {
  const auto& newest = window.newest();
  const bool is_own = is_own_address(window, destination) == Known::yes;
  const auto is_there = [&](NetnsId id) {
    return std::ranges::find(newest.namespaces, id, &NetnsView::id) != newest.namespaces.end();
  };
  for (std::size_t i = window.size(); i-- > 0;) {
    const auto& then = window.snapshot(i);
    if (std::ranges::equal(then.namespaces, newest.namespaces, {}, &NetnsView::id, &NetnsView::id)) continue;
    const auto own = std::ranges::find(then.namespaces, window.netns().id, &NetnsView::id);
    if (own == then.namespaces.end()) continue;
    const auto served = served_in(then, *own, is_own, destination);
    if (served && !is_there(served->netns->id)) return served->netns->id;
  }
  return std::nullopt;
}

const PublishedPort* proxied_port(const Window& window, const Subject& listener) {
  const auto* list = window.newest().netns_list.get();
  if (list == nullptr || window.netns().id != NetnsId::host || listener.kind != SubjectKind::listener ||
      listener.process != "docker-proxy")
    return nullptr;
  const auto port = std::ranges::find_if(list->published, [&](const PublishedPort& each) {
    return listener.port == each.host_port && listener.address == to_string(each.host_address);
  });
  return port == list->published.end() ? nullptr : &*port;
}

std::optional<ServedThere> behind_proxy(const Window& window, const Subject& listener) {
  const auto* port = proxied_port(window, listener);
  return port == nullptr ? std::nullopt : behind_port(window.newest(), window.netns().id, *port);
}

std::string place_text(const Snapshot& snapshot, const NetnsView& netns) {
  if (netns.id == NetnsId::host) return "the host";
  const auto* found = found_as(snapshot, netns);
  switch (found == nullptr ? NetnsKind::other : found->kind) {
    case NetnsKind::kubernetes: return "pod " + netns.name;
    case NetnsKind::docker:
    case NetnsKind::podman:
    case NetnsKind::containerd:
    case NetnsKind::crio:
    case NetnsKind::lxc:
    case NetnsKind::incus:
    case NetnsKind::nspawn:
    case NetnsKind::libvirt: return "container " + netns.name;
    case NetnsKind::host:
    case NetnsKind::named:
    case NetnsKind::unit:
    case NetnsKind::other: return "namespace " + netns.name;
  }
  return "namespace " + netns.name;
}

const Listener* listener_for(const Listeners& listeners, const Destination& destination) {
  const Listener* on_all = nullptr;
  for (const auto& listener : listeners.listeners) {
    if (listener.endpoint.port != destination.port) continue;
    if (listener.endpoint.address.unmapped() == destination.destination.unmapped()) return &listener;
    if (is_any(listener.endpoint.address)) on_all = &listener;
  }
  return on_all;
}

const Listener* own_listener(const Window& window, const Destination& destination) {
  const auto listeners = window.latest(&NetnsView::listeners);
  return listeners ? listener_for(**listeners, destination) : nullptr;
}

const Process* owner_of(const Window& window, const Listener* listener) {
  const auto* processes = window.newest().processes.get();
  return listener == nullptr || processes == nullptr ? nullptr : main_owner(*processes, *listener);
}

}  // namespace tcpdiag
