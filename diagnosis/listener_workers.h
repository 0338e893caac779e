// SPDX-License-Identifier: Apache-2.0
// The processes that should accept from a listener: what each of them does, and which one to look at. A
// server with workers is looked at as one: its first process holds the listener too and accepts nothing.
#pragma once

#include <string>
#include <vector>

#include "core/facts/listeners.h"
#include "diagnosis/rule.h"

namespace tcpdiag {

/// Whether its main thread is stopped, by SIGSTOP or a debugger.
bool is_stopped(const Process& process);

/// Whether its main thread sleeps where programs wait for the next event: it has nothing to do, or does not
/// want what there is.
bool waits_for_events(const Process& process);

/// What a process's main thread does, in words, of one or of several: "sleeps in the kernel function
/// futex_wait_queue". Empty: not known.
std::string doing(const Process& process, bool several = false);

/// Every process that holds the listener, the one that started first in front. Empty: not known.
std::vector<const Process*> owners_of(const Window& window, const Listener& listener);

/// Those of them that should accept: without the first one when there are more, and without systemd, which
/// opens sockets for others.
std::vector<const Process*> workers_of(const Window& window, const Listener& listener);

/// The one worker that is stopped, or that alone does something else than to wait for events; nullptr: there
/// is no such one.
const Process* odd_worker(const Window& window, const Listener& listener);

/// Says what the workers of a listener do: {doing}, a sentence's end; {worker} ("gunicorn[813]"), the one to
/// look at; its pid as {stopped_pid}, or as {worker_pid} and {running_pid} or {sleeping_pid}, by what it
/// does.
void add_doing(Facts& facts, const Window& window, const Listener& listener);

/// The same of one worker.
void add_doing(Facts& facts, const Process& worker);

}  // namespace tcpdiag
