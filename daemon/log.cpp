// SPDX-License-Identifier: Apache-2.0
#include "daemon/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>

#include "core/time_text.h"
#include "core/utf8.h"

namespace tcpdiag {
namespace {

/// The form of a JSON string; logfmt's quoted values have the same.
std::string in_quotes(std::string_view text) { return '"' + escaped(text) + '"'; }

/// Whether logfmt can show the value as it is.
bool is_plain(std::string_view text) {
  constexpr std::string_view kSpecial = " \"\\=";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || kSpecial.find(c) != std::string_view::npos) return false;
  }
  return !text.empty();
}

std::string logfmt_value(const std::string& value) { return is_plain(value) ? value : in_quotes(value); }

char to_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

/// As syslog(3) counts it.
std::string_view priority(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
    case LogLevel::debug: return "7";
    case LogLevel::info: return "6";
    case LogLevel::warn: return "4";
    case LogLevel::error: return "3";
  }
  return "6";
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::trace: return spdlog::level::trace;
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warn: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::trace: return "trace";
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warn: return "warn";
    case LogLevel::error: return "error";
  }
  return "info";
}

std::string_view to_string(LogFormat format) { return format == LogFormat::json ? "json" : "logfmt"; }

std::string to_logfmt(const LogRecord& record) {
  std::string line = "ts=" + to_rfc3339(record.at) + " level=" + std::string(to_string(record.level)) +
                     " msg=" + in_quotes(record.message);
  for (const auto& field : record.fields) {
    (line += ' ') += field.key;
    (line += '=') += logfmt_value(field.value);
  }
  return line;
}

JournalFields to_journal_fields(const LogRecord& record, LogFormat format) {
  std::string line(record.message);
  JournalFields fields = {
      {"MESSAGE", ""}, {"PRIORITY", std::string(priority(record.level))}, {"SYSLOG_IDENTIFIER", "tcpdiagd"}};
  for (const auto& field : record.fields) {
    line += ' ' + std::string(field.key) + '=' + logfmt_value(field.value);
    std::string name = "TCPDIAG_";
    for (const char c : field.key) name += to_upper(c);
    fields.emplace_back(name, one_line(field.value));
  }
  fields.front().second = format == LogFormat::json ? to_json(record) : one_line(line);
  return fields;
}

std::string to_json(const LogRecord& record) {
  std::string line = R"({"ts":")" + to_rfc3339(record.at) + R"(","level":")" +
                     std::string(to_string(record.level)) + R"(","msg":)" + in_quotes(record.message);
  for (const auto& field : record.fields) {
    (line += ',') += in_quotes(field.key);
    (line += ':') += field.bare ? field.value : in_quotes(field.value);
  }
  return line + "}";
}

struct Log::Sink {
  spdlog::logger logger;
  std::atomic<LogFormat> format;
  std::optional<Journal> journal;

  Sink(spdlog::sink_ptr sink, LogLevel level, LogFormat initial_format)
      : logger("tcpdiagd", std::move(sink)), format(initial_format) {
    logger.set_pattern("%v");  // the line is ours, whole
    logger.set_level(to_spdlog(level));
    logger.flush_on(spdlog::level::trace);
    logger.set_error_handler([](const std::string&) {});  // there is nowhere left to complain
  }
};

Log::Log(LogLevel level, LogFormat format, std::optional<Journal> journal)
    : sink_(std::make_unique<Sink>(std::make_shared<spdlog::sinks::stderr_sink_mt>(), level, format)) {
  if (journal) sink_->journal.emplace(std::move(*journal));
}

Log::Log(LogLevel level, LogFormat format, std::ostream& stream)
    : sink_(std::make_unique<Sink>(std::make_shared<spdlog::sinks::ostream_sink_mt>(stream), level, format)) {
}

Log::~Log() = default;

void Log::configure(LogLevel level, LogFormat format) {
  sink_->logger.set_level(to_spdlog(level));
  sink_->format = format;
}

bool Log::enabled(LogLevel level) const { return sink_->logger.should_log(to_spdlog(level)); }

LogFormat Log::format() const { return sink_->format; }

void Log::write(LogLevel level, std::string_view message, std::span<const LogField> fields) {
  if (!enabled(level)) return;
  const LogRecord record{std::chrono::system_clock::now(), level, message, fields};
  const LogFormat format = sink_->format;
  if (sink_->journal && sink_->journal->send(to_journal_fields(record, format))) return;
  const auto line = format == LogFormat::json ? to_json(record) : to_logfmt(record);
  sink_->logger.log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace tcpdiag
