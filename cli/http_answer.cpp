// SPDX-License-Identifier: Apache-2.0
#include "cli/http_answer.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace tcpdiag {
namespace {

using Answer = Result<std::optional<HttpAnswer>>;

constexpr std::string_view kLineEnd = "\r\n";

tl::unexpected<Error> malformed(const std::string& what) { return unexpected(Errc::malformed, what); }

/// Not whole yet, or an error when no more comes.
Answer more(bool ended) {
  if (ended) return malformed("the answer ends early");
  return std::optional<HttpAnswer>();
}

/// The whole text as a number.
std::optional<std::uint64_t> to_number(std::string_view text, int base) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || text.empty() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

/// The value of a header, of the first one of that name; empty when there is none.
std::optional<std::string_view> header(std::string_view head, std::string_view name) {
  while (!head.empty()) {
    const auto line = head.substr(0, head.find(kLineEnd));
    head.remove_prefix(std::min(head.size(), line.size() + kLineEnd.size()));
    const auto colon = line.find(':');
    if (colon != std::string_view::npos && equal_ignoring_case(line.substr(0, colon), name))
      return trim(line.substr(colon + 1));
  }
  return std::nullopt;
}

/// The status of "HTTP/1.1 200 OK".
std::optional<int> status_of(std::string_view line) {
  constexpr std::string_view kVersion = "HTTP/1.";
  constexpr std::size_t kCode = kVersion.size() + 2, kDigits = 3;
  if (!line.starts_with(kVersion) || line.size() < kCode + kDigits) return std::nullopt;
  if (line[kCode - 1] != ' ' || (line.size() > kCode + kDigits && line[kCode + kDigits] != ' '))
    return std::nullopt;
  const auto code = to_number(line.substr(kCode, kDigits), 10);
  if (!code || *code < 100) return std::nullopt;
  return static_cast<int>(*code);
}

Answer read_chunks(int status, std::string_view bytes, bool ended) {
  HttpAnswer answer{.status = status};
  for (;;) {
    const auto line_end = bytes.find(kLineEnd);
    if (line_end == std::string_view::npos) return more(ended);
    const auto line = bytes.substr(0, line_end);
    const auto size = to_number(trim(line.substr(0, line.find(';'))), 16);
    if (!size || *size > kMaxHttpAnswer) return malformed("a chunk of the answer has no proper size");
    bytes.remove_prefix(line_end + kLineEnd.size());
    if (*size == 0) return answer;  // trailers say nothing that matters here
    if (bytes.size() < *size + kLineEnd.size()) return more(ended);
    answer.body += bytes.substr(0, *size);
    bytes.remove_prefix(*size);
    if (!bytes.starts_with(kLineEnd)) return malformed("a chunk of the answer does not end where it says");
    bytes.remove_prefix(kLineEnd.size());
  }
}

}  // namespace

Answer parse_http_answer(std::string_view bytes, bool ended) {
  constexpr std::string_view kHeadEnd = "\r\n\r\n", kBegin = "HTTP/1.";
  const auto begun = bytes.substr(0, kBegin.size());
  if (!kBegin.starts_with(begun) || (ended && begun.size() < kBegin.size()))
    return malformed(bytes.empty() ? "no answer" : "the answer is not HTTP");
  const auto head_end = bytes.find(kHeadEnd);
  if (head_end == std::string_view::npos) return more(ended);
  const auto head = bytes.substr(0, head_end);
  const auto status = status_of(head.substr(0, head.find(kLineEnd)));
  if (!status) return malformed("the answer is not HTTP");
  const auto body = bytes.substr(head_end + kHeadEnd.size());

  if (const auto coding = header(head, "Transfer-Encoding")) {
    if (!equal_ignoring_case(*coding, "chunked")) return malformed("the answer has an unknown coding");
    return read_chunks(*status, body, ended);
  }
  if (const auto length = header(head, "Content-Length")) {
    const auto size = to_number(*length, 10);
    if (!size || *size > kMaxHttpAnswer) return malformed("the answer has no proper length");
    if (body.size() < *size) return more(ended);
    return HttpAnswer{*status, std::string(body.substr(0, *size))};
  }
  if (!ended) return std::optional<HttpAnswer>();
  return HttpAnswer{*status, std::string(body)};
}

}  // namespace tcpdiag
