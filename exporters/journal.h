// SPDX-License-Identifier: Apache-2.0
// The systemd journal: what is written to it about findings, and the way there (docs/adr/0008).
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "exporters/incident_changes.h"

namespace tcpdiag {

/// Fields of one entry, by name; no name twice.
using JournalFields = std::vector<std::pair<std::string, std::string>>;

/// The entry about a change, as docs/reference/journal.md describes it. What is not known has no field.
JournalFields journal_fields(const IncidentChange& change);

/// The entry as journald takes it (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/). Values may hold any byte.
std::string to_journal_datagram(const JournalFields& fields);

/// Whether the file with this device and inode is a stream to the journal, according to the variable
/// JOURNAL_STREAM (systemd.exec(5)).
bool is_journal_stream(std::string_view journal_stream, dev_t device, ino_t inode);

/// The journal's socket. It never waits: an entry that journald does not take at once is lost.
class Journal {
 public:
  explicit Journal(std::string path = "/run/systemd/journal/socket");
  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&&) = delete;
  ~Journal();

  /// Errors: nobody listens there (missing), it is full (timed_out), or the kernel refuses.
  Result<void> send(const JournalFields& fields) const;

 private:
  std::string path_;
  int socket_;
};

}  // namespace tcpdiag
