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

const NetnsView* other_namespace_of(const Window& window, const Destination& destination) {
  const NetnsView* only = nullptr;
  for (const auto& netns : window.newest().namespaces) {
    if (netns.id == window.netns().id || is_users_own(window.newest(), netns) ||
        has_address(netns, destination.destination.unmapped()) != Known::yes)
      continue;
    if (only != nullptr) return nullptr;
    only = &netns;
  }
  return only;
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
