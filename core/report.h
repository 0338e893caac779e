// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/finding.h"
#include "core/snapshot.h"

namespace tcpdiag {

/// How a collector's latest run went.
struct CollectorRun {
  std::string collector;
  std::string netns;  ///< empty: it reads the machine, not a namespace
  Result<void> outcome = tl::unexpected<Error>(Error{});
  std::chrono::nanoseconds duration{};    ///< wall-clock time of the run
  std::chrono::nanoseconds cpu{};         ///< CPU time of the run
  std::chrono::milliseconds period{};     ///< the present one: the CPU budget may have stretched it
  TimePoint finished_at;                  ///< of the latest run
  std::optional<TimePoint> succeeded_at;  ///< of the latest run that succeeded; empty: none has

  /// Whether there was a run at all; without one its durations mean nothing.
  [[nodiscard]] bool has_run() const { return outcome || outcome.error().code != Errc::not_read; }
};

/// The daemon's HTTP server since it started.
struct HttpUsage {
  std::uint64_t connections = 0;  ///< open now
  std::uint64_t refused = 0;      ///< closed at once: too many from their address
  std::uint64_t dropped = 0;      ///< closed because they were too slow
  /// Requests answered with 401 although they came with a name and a password.
  std::uint64_t unauthorized = 0;
  std::uint64_t limited = 0;  ///< requests answered with 429 or 503: too many of them, or of passwords
  /// When the first of the certificates that are shown to clients runs out; empty: no TLS.
  std::optional<std::chrono::system_clock::time_point> certificate_expires;
  /// Whether the web configuration file as it is now is in force; empty: none.
  std::optional<bool> web_config_valid;
  /// Where people reach the page, with a slash at its end; empty: not configured.
  std::string external_url{};
};

/// What a rule of the diagnosis said so far.
struct RuleState {
  std::string_view id;  ///< "accept-queue-backlog-small"; points into the catalogue of rules
  Severity severity = Severity::warning;
  std::uint64_t opened = 0;      ///< incidents it opened since the daemon started
  std::vector<Unknown> unknown;  ///< about what it cannot tell at present, and why
};

/// All that the daemon shows: the latest snapshot, how it came about, and what follows from it. Immutable
/// once published.
struct Report {
  TimePoint at;
  std::chrono::system_clock::time_point wall_at;  ///< the same moment on the wall clock
  Snapshot snapshot;
  std::vector<CollectorRun> runs;  ///< one for every collector that is switched on, in the catalogue's order
  std::vector<RuleState> rules;    ///< one for every rule, in the catalogue's order
  /// Open ones, those that go on first, worst first; then closed ones, the latest first.
  std::vector<Incident> incidents;
  std::uint64_t findings_cut = 0;         ///< of the latest diagnosis, left out because there were too many
  std::optional<TimePoint> judged_since;  ///< the first diagnosis; empty: there was none
  std::uint64_t ticks_late = 0;           ///< ticks of the loop that came more than 100 ms late
  std::optional<HttpUsage> http;          ///< empty: nothing serves this report
};

/// Those of its incidents that are open, in their order.
std::vector<const Incident*> open_incidents(const Report& report);

}  // namespace tcpdiag
