// SPDX-License-Identifier: Apache-2.0
// Whether what a program here talks to is this host itself.
#pragma once

#include <optional>

#include "core/facts/connections.h"
#include "core/facts/listeners.h"
#include "core/facts/processes.h"
#include "diagnosis/window.h"

namespace tcpdiag {

enum class Known { no, yes, not_known };

/// 127.0.0.0/8 and ::1, mapped ones included.
bool is_loopback(const IpAddress& address);

/// Whether the destination is an address of the window's namespace: of its interfaces, or one that its
/// listeners or connections use as their own. Known::no says nothing about other namespaces of this host.
Known is_own_address(const Window& window, const Destination& destination);

/// Where connections to a destination end in another namespace of this host.
struct OtherEnd {
  const NetnsView* netns;
  Destination service;  ///< as it is called there: with the container's own port where that is published
};

/// The end among the namespaces that are looked into: where the destination is an address of the host, the
/// container that has published the port, else the namespace whose address it is. Empty: it is the window's
/// own address, or none of theirs, as far as their addresses are known, or that of several: private addresses
/// are used again and again.
std::optional<OtherEnd> other_end_of(const Window& window, const Destination& destination);
/// Whether they ended, within the window, in one that is gone now.
bool was_other_end(const Window& window, const Destination& destination);

/// The present listener of the window's namespace that connections to the destination come to: the one on its
/// address before one on all; nullptr: there is none, or it is not known.
const Listener* own_listener(const Window& window, const Destination& destination);
/// The same among these listeners.
const Listener* listener_for(const Listeners& listeners, const Destination& destination);

/// The process that a person would name as the listener's owner; nullptr: not known, or no listener.
const Process* owner_of(const Window& window, const Listener* listener);

}  // namespace tcpdiag
