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

/// The other namespace, not a user's own, that is so; nullptr: none, or several.
template <typename IsSo>
const NetnsView* only_other(const Snapshot& snapshot, NetnsId own, IsSo is_so) {
  const NetnsView* only = nullptr;
  for (const auto& netns : snapshot.namespaces) {
    if (netns.id == own || is_users_own(snapshot, netns) || !is_so(netns)) continue;
    if (only != nullptr) return nullptr;
    only = &netns;
  }
  return only;
}

const PublishedPort* published_as(const Snapshot& snapshot, const NetnsView& netns, const IpAddress& address,
                                  std::uint16_t port) {
  const auto* found = found_as(snapshot, netns);
  if (found == nullptr) return nullptr;
  const auto is_it = [&](const PublishedPort& each) {
    return each.port == port && !each.address.v6 && (is_any(each.address) || each.address == address);
  };
  const auto each = std::ranges::find_if(found->published, is_it);
  return each == found->published.end() ? nullptr : &*each;
}

/// The container's own address, which a listener in it may be bound to; 0.0.0.0: not known.
IpAddress address_in(const NetnsView& netns) {
  const auto* interfaces = netns.interfaces.get();
  if (interfaces == nullptr) return {};
  const auto found = std::ranges::find_if(
      interfaces->addresses, [](const IpAddress& each) { return !each.v6 && !is_loopback(each); });
  return found == interfaces->addresses.end() ? IpAddress() : *found;
}

/// The host's rules (DNAT) turn connections to a published port into some to the container, and none of its
/// own listeners gets them. 127.0.0.0/8 and IPv6 are left to a proxy, which is a program like any other.
std::optional<OtherEnd> published_end(const Snapshot& snapshot, NetnsId own, const Destination& destination) {
  const auto address = destination.destination.unmapped();
  const auto& all = snapshot.namespaces;
  const auto host = std::ranges::find(all, kHostNetns, &NetnsView::name);
  if (address.v6 || is_loopback(address) || host == all.end() || has_address(*host, address) != Known::yes)
    return std::nullopt;
  const auto* only = only_other(snapshot, own, [&](const NetnsView& netns) {
    return published_as(snapshot, netns, address, destination.port) != nullptr;
  });
  if (only == nullptr) return std::nullopt;
  auto service = destination;
  service.destination = address_in(*only);
  service.port = published_as(snapshot, *only, address, destination.port)->to;
  return OtherEnd{only, service};
}

std::optional<OtherEnd> addressed_end(const Snapshot& snapshot, NetnsId own, const Destination& destination) {
  const auto* only = only_other(snapshot, own, [&](const NetnsView& netns) {
    return has_address(netns, destination.destination.unmapped()) == Known::yes;
  });
  return only == nullptr ? std::nullopt : std::optional(OtherEnd{only, destination});
}

bool is_there(const Snapshot& snapshot, NetnsId netns) {
  return std::ranges::find(snapshot.namespaces, netns, &NetnsView::id) != snapshot.namespaces.end();
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

std::optional<OtherEnd> other_end_of(const Window& window, const Destination& destination) {
  const auto own = window.netns().id;
  if (const auto published = published_end(window.newest(), own, destination)) return published;
  if (is_own_address(window, destination) == Known::yes) return std::nullopt;
  return addressed_end(window.newest(), own, destination);
}

bool was_other_end(const Window& window, const Destination& destination) {
  const auto own = window.netns().id;
  const bool is_own = is_own_address(window, destination) == Known::yes;
  for (std::size_t i = window.size(); i-- > 0;) {
    const auto& then = window.snapshot(i);
    if (std::ranges::equal(then.namespaces, window.newest().namespaces, {}, &NetnsView::id, &NetnsView::id))
      continue;
    auto end = published_end(then, own, destination);
    if (!end && !is_own) end = addressed_end(then, own, destination);
    if (end && !is_there(window.newest(), end->netns->id)) return true;
  }
  return false;
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
