// SPDX-License-Identifier: Apache-2.0
#include "collectors/kernel_log.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "collectors/kernel_lines.h"
#include "core/text.h"

namespace tcpdiag {
namespace {

std::string_view take_field(std::string_view& fields) {
  const auto comma = fields.find(',');
  const auto field = fields.substr(0, comma);
  fields.remove_prefix(comma == std::string_view::npos ? fields.size() : comma + 1);
  return field;
}

bool is_printable(char c) { return c >= ' ' && c <= '~'; }

// The byte that "\xNN" at the front of `text` stands for.
std::optional<char> escaped_byte(std::string_view text) {
  if (text.size() < 4 || !text.starts_with("\\x")) return std::nullopt;
  const auto byte = to_number<std::uint8_t>(text.substr(2, 2), 16);
  if (!byte) return std::nullopt;
  return static_cast<char>(*byte);
}

}  // namespace

Result<KernelRecord> parse_kernel_record(std::string_view record) {
  const auto malformed = [](std::string_view what) {
    return unexpected(Errc::malformed, "/dev/kmsg: " + std::string(what));
  };
  const auto semicolon = record.find(';');
  if (semicolon == std::string_view::npos) return malformed("a record without ';'");
  auto fields = record.substr(0, semicolon);
  auto lines = record.substr(semicolon + 1);
  const auto end = lines.find('\n');
  if (end == std::string_view::npos) return malformed("a record that is cut off");

  const auto priority = to_number<std::uint32_t>(take_field(fields));
  const auto sequence = to_number<std::uint64_t>(take_field(fields));
  const auto microseconds = to_number<std::uint64_t>(take_field(fields));
  constexpr auto kMaxMicroseconds = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(TimePoint::duration::max()).count());
  if (!priority || !sequence || !microseconds || *microseconds > kMaxMicroseconds)
    return malformed("a record without priority, sequence or time");

  KernelRecord parsed{.sequence = *sequence, .facility = *priority >> 3};
  parsed.at = TimePoint(std::chrono::microseconds(*microseconds));
  parsed.escaped = lines.substr(0, end);
  if (!std::ranges::all_of(parsed.escaped, is_printable)) return malformed("a record with unescaped bytes");
  return parsed;
}

std::string unescape(std::string_view escaped) {
  std::string text;
  text.reserve(escaped.size());
  while (!escaped.empty()) {
    const auto byte = escaped_byte(escaped);
    text += byte ? *byte : escaped.front();
    escaped.remove_prefix(byte ? 4 : 1);
  }
  return text;
}

Result<KernelLog> KernelLogReader::operator()(const Reading& reading) {
  const auto read = reading.source.read_kernel_log();
  if (!read) return tl::unexpected<Error>(read.error());
  Result<void> outcome;
  for (const auto& text : read->records) {
    const auto record = parse_kernel_record(text);
    if (record)
      follow(*record);
    else if (outcome)
      outcome = tl::unexpected<Error>(record.error());
  }
  if (!read->more) caught_up_ = true;
  if (!outcome) return tl::unexpected<Error>(outcome.error());
  return log_;
}

void KernelLogReader::follow(const KernelRecord& record) {
  if (begun_ && record.sequence < log_.next_sequence) return;
  if (begun_) log_.lost += record.sequence - log_.next_sequence;
  begun_ = true;
  log_.next_sequence = record.sequence + 1;
  if (record.facility != 0) return;

  auto event = classify_kernel_line(unescape(record.escaped));
  if (!event) return;
  event->sequence = record.sequence;
  event->at = record.at;
  event->text = record.escaped.substr(0, KernelLog::kTextBytes);
  if (caught_up_) count(*event);
  if (log_.recent.size() == KernelLog::kRecent) log_.recent.erase(log_.recent.begin());
  log_.recent.push_back(std::move(*event));
}

void KernelLogReader::count(const KernelEvent& event) {
  ++log_.counts.at(static_cast<std::size_t>(event.kind));
  if (event.kind != KernelEventKind::syn_flood) return;
  auto& floods = log_.syn_floods;
  const auto before = [](const SynFloodReports& a, const KernelEvent& b) {
    return std::tie(a.address, a.port) < std::tie(b.address, b.port);
  };
  const auto place = std::lower_bound(floods.begin(), floods.end(), event, before);
  if (place != floods.end() && place->address == event.address && place->port == event.port)
    ++place->count;
  else if (floods.size() < KernelLog::kSynFloodPorts)
    floods.insert(place, {.address = event.address, .port = event.port, .count = 1});
  else
    ++log_.syn_floods_cut;
}

}  // namespace tcpdiag
