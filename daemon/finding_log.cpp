// SPDX-License-Identifier: Apache-2.0
#include "daemon/finding_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace tcpdiag {
namespace {

struct FieldName {
  std::string_view journal, log;
};

// What else is in an entry stands in the line anyway.
constexpr std::array kLogged = std::to_array<FieldName>({{"TCPDIAG_EVENT", "event"},
                                                         {"TCPDIAG_FINDING", "finding"},
                                                         {"TCPDIAG_SEVERITY", "severity"},
                                                         {"TCPDIAG_NETNS", "netns"},
                                                         {"TCPDIAG_SUBJECT_KIND", "subject_kind"},
                                                         {"TCPDIAG_SUBJECT", "subject"},
                                                         {"TCPDIAG_PROCESS", "process"},
                                                         {"TCPDIAG_PID", "pid"},
                                                         {"TCPDIAG_UNIT", "unit"}});

LogLevel level_of(const IncidentChange& change) {
  if (change.event == IncidentEvent::closed) return LogLevel::info;
  switch (change.incident.finding.severity) {
    case Severity::info: return LogLevel::info;
    case Severity::warning: return LogLevel::warn;
    case Severity::critical: return LogLevel::error;
  }
  return LogLevel::info;
}

}  // namespace

void FindingLog::write(const IncidentChanges& changes) {
  for (const auto& change : changes.changes)
    if (!send(change)) write_line(change, log_);
  if (changes.left_out != 0)
    log_.warn("more findings changed at once than are logged", {{"left_out", changes.left_out}});
}

bool FindingLog::send(const IncidentChange& change) {
  if (!journal_) return false;
  const auto sent = journal_->send(journal_fields(change));
  if (!sent && !failing_)
    log_.warn("the journal takes no entries; findings are logged as lines instead",
              {{"error", sent.error().detail}});
  failing_ = !sent;
  return sent.has_value();
}

void write_line(const IncidentChange& change, Log& log) {
  std::vector<LogField> fields;
  for (const auto& [name, value] : journal_fields(change)) {
    const auto known = std::ranges::find(kLogged, name, &FieldName::journal);
    if (known != kLogged.end()) fields.emplace_back(known->log, value);
    if (name == "TCPDIAG_PID") fields.back().bare = true;
    if (name == "TCPDIAG_JSON" && log.format() == LogFormat::json)
      fields.push_back(LogField::json("json", value));
  }
  log.write(level_of(change), sentence_about(change), fields);
}

std::optional<Journal> journal_behind_standard_error() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status{};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &status) != 0) return std::nullopt;
  if (!is_journal_stream(stream, status.st_dev, status.st_ino)) return std::nullopt;
  if (const int flags = ::fcntl(STDERR_FILENO, F_GETFL); flags >= 0)
    ::fcntl(STDERR_FILENO, F_SETFL, flags | O_NONBLOCK);
  return Journal();
}

}  // namespace tcpdiag
