// SPDX-License-Identifier: Apache-2.0
// How many descriptors processes have open, and which of them are nearest to their limit.
#pragma once

#include <cstddef>
#include <optional>

#include "collectors/known_processes.h"

namespace tcpdiag {

/// Nobody asks for processes that use less of their limit, and they come and go.
inline constexpr double kFullFrom = 0.1;
/// Processes that are kept as the fullest.
inline constexpr std::size_t kFullest = 50;

/// Counts them in every run by the size of /proc/PID/fd, which the kernel gives from 6.2 on; on older ones by
/// listing it, of the fullest and the owners of listeners in every run, of the others when they are due.
void count_descriptors(KnownProcesses& processes, const Reading& reading);

/// Marks the processes that use the largest share of their limit. Where there are more than kFullest, they
/// are shared out among the users and their units: what one does must not hide another's process.
void choose_fullest(KnownProcesses& processes, Source& source);

/// The share of its limit that it uses. Empty: less than kFullFrom, or not known.
std::optional<double> fullness(const KnownProcess& process);

/// Whether a rule may say that it is near its limit.
bool is_judged(const KnownProcess& process);

/// Whether it may be at its limit, for all that is known.
bool is_uncounted(const KnownProcess& process);

}  // namespace tcpdiag
