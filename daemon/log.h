// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/journal.h"

namespace tcpdiag {

enum class LogLevel { trace, debug, info, warn, error };
enum class LogFormat { logfmt, json };

/// "trace", "debug", ...; "logfmt", "json".
std::string_view to_string(LogLevel level);
std::string_view to_string(LogFormat format);

/// One named value of a log line. The key is one of ours: letters, digits and underscores.
struct LogField {
  std::string_view key;
  std::string value;
  bool bare = false;  ///< JSON shows it as it is: a number, or JSON itself

  LogField(std::string_view name, std::string_view text) : key(name), value(text) {}
  LogField(std::string_view name, const char* text) : key(name), value(text) {}
  template <std::integral T>
  LogField(std::string_view name, T n) : key(name), value(std::to_string(n)), bare(true) {}
  /// A value that is JSON, on one line.
  static LogField json(std::string_view name, const std::string& value) {
    LogField field(name, value);
    field.bare = true;
    return field;
  }
};

/// A line in the making.
struct LogRecord {
  std::chrono::system_clock::time_point at;
  LogLevel level = LogLevel::info;
  std::string_view message;
  std::span<const LogField> fields;
};

/// `ts=2026-01-02T03:04:05.678Z level=info msg="collector recovered" collector=netstat`, without a newline. A
/// value that holds anything but plain characters is quoted; quotes, backslashes and control characters are
/// escaped and bytes that are not UTF-8 replaced, so a record is always one line.
std::string to_logfmt(const LogRecord& record);
/// The same as a JSON object with the members ts, level, msg and the fields.
std::string to_json(const LogRecord& record);

/// The record as an entry of the journal: `collector recovered collector=netstat` as its message, or JSON,
/// the level as its priority, and each field by itself: TCPDIAG_COLLECTOR.
JournalFields to_journal_fields(const LogRecord& record, LogFormat format);

/// The daemon's own log, one line for each record, to standard error, or one entry for each to the journal.
/// Safe to use from several threads. A line that cannot be written is lost; the daemon goes on.
class Log {
 public:
  /// `journal`: takes the records instead of standard error, which gets those that it does not take.
  Log(LogLevel level, LogFormat format, std::optional<Journal> journal = std::nullopt);
  /// To a stream, which must outlive the log.
  Log(LogLevel level, LogFormat format, std::ostream& stream);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log();

  /// Takes effect with the next record.
  void configure(LogLevel level, LogFormat format);
  [[nodiscard]] bool enabled(LogLevel level) const;
  [[nodiscard]] LogFormat format() const;

  void write(LogLevel level, std::string_view message, std::span<const LogField> fields);
  void write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(level, message, std::span(fields.begin(), fields.size()));
  }
  void debug(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::debug, message, fields);
  }
  void info(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::info, message, fields);
  }
  void warn(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::warn, message, fields);
  }
  void error(std::string_view message, std::initializer_list<LogField> fields = {}) {
    write(LogLevel::error, message, fields);
  }

 private:
  struct Sink;
  std::unique_ptr<Sink> sink_;
};

}  // namespace tcpdiag
