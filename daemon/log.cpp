// SPDX-License-Identifier: Apache-2.0
#include "daemon/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <ctime>

namespace tcpdiag {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

std::string timestamp(std::chrono::system_clock::time_point at) {
  const auto since_epoch = std::chrono::floor<std::chrono::milliseconds>(at.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const std::time_t time = seconds.count();
  std::tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 32> date{};
  const auto length = std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ",
                static_cast<int>((since_epoch - seconds).count()));
  return std::string(date.data(), length) + fraction.data();
}

/// Bytes of the UTF-8 sequence at the beginning of `text`, which is not empty; 0 when there is none. Overlong
/// forms, surrogates and what lies beyond U+10FFFF are none.
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto lead = byte(0);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  const auto second = byte(1);
  if (lead == 0xe0 && second < 0xa0) return 0;
  if (lead == 0xed && second > 0x9f) return 0;
  if (lead == 0xf0 && second < 0x90) return 0;
  if (lead == 0xf4 && second > 0x8f) return 0;
  return length;
}

bool is_c1_control(std::string_view sequence) {
  return sequence.size() == 2 && sequence[0] == '\xc2' && static_cast<unsigned char>(sequence[1]) < 0xa0;
}

std::string unicode_escape(unsigned code) {
  std::array<char, 8> escaped{};
  std::snprintf(escaped.data(), escaped.size(), "\\u%04x", code);
  return escaped.data();
}

/// The inside of a JSON string; logfmt's quoted values have the same form.
std::string escaped(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const auto length = utf8_length(text);
    const auto sequence = text.substr(0, length);
    const auto byte = static_cast<unsigned char>(text.front());
    if (length == 0)
      result += kReplacement;
    else if (byte == '"' || byte == '\\')
      (result += '\\') += text.front();
    else if (byte == '\n')
      result += "\\n";
    else if (byte == '\t')
      result += "\\t";
    else if (byte < 0x20 || byte == 0x7f)
      result += unicode_escape(byte);
    else if (is_c1_control(sequence))
      result += unicode_escape(static_cast<unsigned char>(sequence[1]));
    else
      result += sequence;
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result;
}

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
  std::string line = "ts=" + timestamp(record.at) + " level=" + std::string(to_string(record.level)) +
                     " msg=" + in_quotes(record.message);
  for (const auto& field : record.fields) {
    (line += ' ') += field.key;
    (line += '=') += is_plain(field.value) ? field.value : in_quotes(field.value);
  }
  return line;
}

std::string to_json(const LogRecord& record) {
  std::string line = R"({"ts":")" + timestamp(record.at) + R"(","level":")" +
                     std::string(to_string(record.level)) + R"(","msg":)" + in_quotes(record.message);
  for (const auto& field : record.fields) {
    (line += ',') += in_quotes(field.key);
    (line += ':') += field.number ? field.value : in_quotes(field.value);
  }
  return line + "}";
}

struct Log::Sink {
  spdlog::logger logger;
  std::atomic<LogFormat> format;

  Sink(spdlog::sink_ptr sink, LogLevel level, LogFormat initial_format)
      : logger("tcpdiagd", std::move(sink)), format(initial_format) {
    logger.set_pattern("%v");  // the line is ours, whole
    logger.set_level(to_spdlog(level));
    logger.flush_on(spdlog::level::trace);
    logger.set_error_handler([](const std::string&) {});  // there is nowhere left to complain
  }
};

Log::Log(LogLevel level, LogFormat format)
    : sink_(std::make_unique<Sink>(std::make_shared<spdlog::sinks::stderr_sink_mt>(), level, format)) {}

Log::Log(LogLevel level, LogFormat format, std::ostream& stream)
    : sink_(std::make_unique<Sink>(std::make_shared<spdlog::sinks::ostream_sink_mt>(stream), level, format)) {
}

Log::~Log() = default;

void Log::configure(LogLevel level, LogFormat format) {
  sink_->logger.set_level(to_spdlog(level));
  sink_->format = format;
}

bool Log::enabled(LogLevel level) const { return sink_->logger.should_log(to_spdlog(level)); }

void Log::write(LogLevel level, std::string_view message, std::span<const LogField> fields) {
  if (!enabled(level)) return;
  const LogRecord record{std::chrono::system_clock::now(), level, message, fields};
  const auto line = sink_->format == LogFormat::json ? to_json(record) : to_logfmt(record);
  sink_->logger.log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace tcpdiag
