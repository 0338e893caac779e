// SPDX-License-Identifier: Apache-2.0
#include "core/utf8.h"

#include <array>
#include <cstdio>

#include "tests/catch.h"

using namespace tcpdiag;
using namespace std::string_view_literals;

TEST_CASE("the length of a sequence is that of the first character alone") {
  CHECK(utf8_length("ab") == 1);
  CHECK(utf8_length("\0"sv) == 1);
  CHECK(utf8_length("\xc3\xa9z") == 2);
  CHECK(utf8_length("\xe2\x82\xac") == 3);
  CHECK(utf8_length("\xf0\x9f\x98\x80\x80") == 4);
  CHECK(utf8_length("\xf4\x8f\xbf\xbf") == 4);  // U+10FFFF
}

TEST_CASE("what RFC 3629 does not allow has no length") {
  for (const auto bad : {"\x80", "\xff", "\xc3", "\xc3z", "\xc0\xaf", "\xc1\xbf", "\xe2\x82", "\xe0\x80\x80",
                         "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80"}) {
    CHECK(utf8_length(bad) == 0);
  }
}

TEST_CASE("a text is cut before the character that does not fit") {
  CHECK(utf8_prefix("abc", 3) == "abc");
  CHECK(utf8_prefix("abc", 2) == "ab");
  CHECK(utf8_prefix("a\xc3\xa9", 2) == "a");
  CHECK(utf8_prefix("a\xc3\xa9", 3) == "a\xc3\xa9");
  CHECK(utf8_prefix("\xf0\x9f\x98\x80", 3).empty());
  CHECK(utf8_prefix("\xff\xff\xff", 2) == "\xff\xff");
  CHECK(utf8_prefix("", 2).empty());
  CHECK(utf8_prefix("a", 0).empty());
}

namespace {

/// Of a character, whatever it is.
std::string utf8(char32_t character) {
  const auto byte = [](char32_t value) { return static_cast<char>(static_cast<unsigned char>(value)); };
  const auto further = [&](int shift) { return byte(0x80 | ((character >> shift) & 0x3f)); };
  if (character < 0x80) return {byte(character)};
  if (character < 0x800) return {byte(0xc0 | character >> 6), further(0)};
  if (character < 0x10000) return {byte(0xe0 | character >> 12), further(6), further(0)};
  return {byte(0xf0 | character >> 18), further(12), further(6), further(0)};
}

}  // namespace

TEST_CASE("printable text is shown as it is") {
  for (const auto* text : {"", "nginx", "caf\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "a\"b\\c", "\\x1b",
                           "\xc2\xa0", "\xe4\xb8\xad\xe6\x96\x87", "\xd8\xb9\xd8\xb1"}) {
    CHECK(is_one_line(text));
    CHECK(one_line(text) == text);
    CHECK(many_lines(text) == text);
  }
}

TEST_CASE("control characters and bytes that are not UTF-8 are shown as numbers") {
  CHECK(one_line("a\nb\tc") == "a\\nb\\tc");
  CHECK(one_line("\r\x1b[31m\x7f\0"sv) == "\\x0d\\x1b[31m\\x7f\\x00");
  CHECK(one_line("\xff") == "\\xff");
  CHECK(one_line("\xc3") == "\\xc3");                             // cut short
  CHECK(one_line("\xc3(") == "\\xc3(");                           // no continuation
  CHECK(one_line("\xc0\xaf") == "\\xc0\\xaf");                    // overlong
  CHECK(one_line("\xe0\x80\xaf") == "\\xe0\\x80\\xaf");           // overlong
  CHECK(one_line("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // a surrogate
  CHECK(one_line("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // beyond U+10FFFF
  CHECK(one_line("\x80 ok") == "\\x80 ok");
}

TEST_CASE("a character that is not seen is shown as its number") {
  struct Range {
    char32_t first, last;
  };
  for (const auto& [first, last] : {Range{0x80, 0x9f},
                                    {0xad, 0xad},
                                    {0x61c, 0x61c},
                                    {0x34f, 0x34f},
                                    {0x115f, 0x1160},
                                    {0x180b, 0x180f},
                                    {0x3164, 0x3164},
                                    {0xfe00, 0xfe0f},
                                    {0xffa0, 0xffa0},
                                    {0x200b, 0x200f},
                                    {0x2028, 0x202e},
                                    {0x2060, 0x206f},
                                    {0xfdd0, 0xfdef},
                                    {0xfeff, 0xfeff},
                                    {0xfff0, 0xfffb},
                                    {0xfffe, 0xffff},
                                    {0x1fffe, 0x1ffff},
                                    {0xe0001, 0xe007f},
                                    {0x10fffe, 0x10ffff}})
    for (auto character = first; character <= last; ++character) {
      std::array<char, 16> number{};
      std::snprintf(number.data(), number.size(), "\\u{%04x}", static_cast<unsigned>(character));
      if (one_line("a" + utf8(character) + "b") != "a" + std::string(number.data()) + "b")
        FAIL_CHECK(number.data());
      CHECK_FALSE(is_one_line(utf8(character)));
    }
  CHECK(one_line("gpj.\xe2\x80\xae"
                 "exe") == "gpj.\\u{202e}exe");
}

TEST_CASE("what was shown once is not changed by being shown again") {
  for (char32_t character = 0; character <= 0x10ffff; ++character) {
    const auto shown = one_line("a" + utf8(character));
    if (!is_one_line(shown) || one_line(shown) != shown) FAIL("U+" << static_cast<unsigned>(character));
  }
  for (int first = 0; first < 256; ++first)
    for (int second = 0; second < 256; ++second)
      if (!is_one_line(one_line(std::string{static_cast<char>(first), static_cast<char>(second), '\x80'})))
        FAIL("bytes " << first << ' ' << second);
}

TEST_CASE("the lines of a command stay lines") {
  CHECK(many_lines("a\nb\xe2\x80\xa8\n\n\x1b") == "a\nb\\u{2028}\n\n\\x1b");
}

TEST_CASE("an escaped text is the inside of a JSON string") {
  CHECK(escaped("plain \xc3\xa9") == "plain \xc3\xa9");
  CHECK(escaped("\"\\\n\t\r\x7f\0"sv) == R"(\"\\\\n\\t\\x0d\\x7f\\x00)");
  CHECK(escaped("\xc2\x9b\xff") == R"(\\u{009b}\\xff)");
}
