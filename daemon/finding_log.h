// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "daemon/log.h"
#include "exporters/journal.h"

namespace tcpdiag {

/// Tells what becomes of findings, each change once: as an entry of the journal, or, where there is no
/// journal or it does not take the entry, as a line of the log.
class FindingLog {
 public:
  /// `journal`: empty when the daemon does not log to it.
  FindingLog(Log& log, std::optional<Journal> journal) : log_(log), journal_(std::move(journal)) {}

  void write(const IncidentChanges& changes);

 private:
  bool send(const IncidentChange& change);

  Log& log_;
  std::optional<Journal> journal_;
  bool failing_ = false;  // the journal did not take the latest entry
};

/// The line of the log about a change: as severe as the finding, with the facts of the journal's entry as
/// fields. A log in JSON also has the finding's own JSON.
void write_line(const IncidentChange& change, Log& log);

/// The journal, if standard error is a stream to it. Lines that it does not take are then lost instead of
/// waited for.
std::optional<Journal> journal_behind_standard_error();

}  // namespace tcpdiag
