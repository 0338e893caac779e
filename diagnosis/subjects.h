// SPDX-License-Identifier: Apache-2.0
// Whom a finding is about: listeners with their owners, processes, destinations.
#pragma once

#include <optional>

#include "core/facts/connections.h"
#include "core/facts/listeners.h"
#include "core/facts/processes.h"
#include "core/finding.h"
#include "diagnosis/window.h"

namespace tcpdiag {

/// Names the process, or nobody (nullptr), as the owner of what the subject is.
void set_owner(Subject& subject, const Process* owner);

/// The listener and, as far as it is known, the process that a person would name as its owner.
Subject listener_subject(const Window& window, const Listener& listener);
/// The same with the owners that were known then.
Subject listener_subject(const Snapshot& then, const Listener& listener);

/// The one process that holds this member of a group and no other: a parent that holds all of them is not who
/// serves it. nullptr: there is no such one, or it is not known.
const Process* worker_of(const Snapshot& then, const Listener& listener, std::uint32_t inode);

/// The listener on that port; of several that one process owns, the first; without an address when there is
/// none, or when they are different processes'.
Subject port_subject(const Window& window, std::uint16_t port);

Subject process_subject(const Process& process);

/// The same process in another reading, or nullptr.
const Process* find_process(const Processes& processes, const Process& wanted);

/// A remote service.
Subject destination_subject(const Destination& destination);

/// The listener with exactly that endpoint now, or nullptr.
const Listener* find_listener(const Listeners& listeners, const Endpoint& endpoint);

/// A listener and how many half-open connections it had at most within the window.
struct HalfOpenPeak {
  const Listener* listener;
  std::uint32_t half_open;
};

/// The present listener that had the most half-open connections within the window; empty: none had any, or it
/// is not known.
std::optional<HalfOpenPeak> busiest_half_open(const Window& window);

/// The present listener whose SYN queue filled within the window: the one with the most half-open connections
/// if they come near its limit; the one that the kernel log names; the one whose port got most of the new
/// connections. nullptr: none stands out.
const Listener* flooded_listener(const Window& window);

}  // namespace tcpdiag
