// SPDX-License-Identifier: Apache-2.0
// Whether what a program here talks to is this host itself.
#pragma once

#include <optional>
#include <string>

#include "core/facts/connections.h"
#include "core/facts/listeners.h"
#include "core/facts/netns_list.h"
#include "core/facts/processes.h"
#include "core/finding.h"
#include "diagnosis/window.h"

namespace tcpdiag {

enum class Known { no, yes, not_known };

/// 127.0.0.0/8 and ::1, mapped ones included.
bool is_loopback(const IpAddress& address);

/// Whether the destination is an address of the window's namespace: of its interfaces, or one that its
/// listeners or connections use as their own. Known::no says nothing about other namespaces of this host.
Known is_own_address(const Window& window, const Destination& destination);

/// Where connections to a destination come out: in another namespace of this host.
struct ServedThere {
  const NetnsView* netns = nullptr;
  Destination there;  ///< the address and port that they have there
};

/// The other namespace that serves the destination, among those that are looked into: the one whose address
/// it is, or into which that port of the host's leads. Empty: none of them, as far as their addresses are
/// known, or several: private addresses are used again and again.
std::optional<ServedThere> served_there(const Window& window, const Destination& destination);

/// The namespace that is gone now by which it was served within the window, the last of several. Empty: none.
std::optional<NetnsId> formerly_served(const Window& window, const Destination& destination);
/// Where a listener of docker-proxy's passes its connections on to. nullptr: it is none.
const PublishedPort* proxied_port(const Window& window, const Subject& listener);
/// The same, when that is another namespace that is looked into. Empty: it is none, or as above.
std::optional<ServedThere> behind_proxy(const Window& window, const Subject& listener);

/// "container shop", "pod payments/checkout", "namespace blue", "the host".
std::string place_text(const Snapshot& snapshot, const NetnsView& netns);

/// The present listener of the window's namespace that connections to the destination come to: the one on its
/// address before one on all; nullptr: there is none, or it is not known.
const Listener* own_listener(const Window& window, const Destination& destination);
/// The same among these listeners.
const Listener* listener_for(const Listeners& listeners, const Destination& destination);

/// The process that a person would name as the listener's owner; nullptr: not known, or no listener.
const Process* owner_of(const Window& window, const Listener* listener);

}  // namespace tcpdiag
