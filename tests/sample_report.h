// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/facts/listeners.h"
#include "core/report.h"

namespace tcpdiag {

/// A small report made by hand in which every section is known: a host with an accept queue in trouble and
/// one further namespace of which only the counters could be read.
Report sample_report();

/// What a daemon has to show that may read nothing: every section is an error.
Report report_of_errors();

/// A report whose names hold quotes, newlines, markup and bytes that are not UTF-8.
Report hostile_report();

/// A report that gives about 2 000 series, for measuring.
Report large_report();

/// The listener at that address and port, with one socket.
Listener sample_listener(const char* address, std::uint16_t port, std::uint32_t queue_length,
                         std::uint32_t queue_limit, std::uint32_t inode);

}  // namespace tcpdiag
