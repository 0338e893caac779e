// SPDX-License-Identifier: Apache-2.0
#include "exporters/label_text.h"

#include "tests/catch.h"

using namespace tcpdiag;

TEST_CASE("printable UTF-8 stays as it is") {
  for (const auto* text :
       {"", "nginx", "caf\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "a\"b\\c", "\xf4\x8f\xbf\xbf"}) {
    CHECK(is_label_text(text));
    CHECK(to_label_text(text) == text);
  }
}

TEST_CASE("control characters and bytes that are not UTF-8 are written as numbers") {
  CHECK(to_label_text("a\nb\x7f") == "a\\x0ab\\x7f");
  CHECK(to_label_text("\xff") == "\\xff");
  CHECK(to_label_text("\xc3") == "\\xc3");                    // cut short
  CHECK(to_label_text("\xc3(") == "\\xc3(");                  // no continuation
  CHECK(to_label_text("\xc0\xaf") == "\\xc0\\xaf");           // overlong
  CHECK(to_label_text("\xe0\x80\xaf") == "\\xe0\\x80\\xaf");  // overlong
  CHECK(to_label_text("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // a surrogate
  CHECK(to_label_text("\xf0\x80\x80\x80") == "\\xf0\\x80\\x80\\x80");
  CHECK(to_label_text("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // beyond U+10FFFF
  CHECK(to_label_text("\x80 ok") == "\\x80 ok");
  CHECK(to_label_text(std::string_view("\0x", 2)) == "\\x00x");
}

TEST_CASE("any bytes become label text") {
  std::string bytes;
  for (int first = 0; first < 256; ++first)
    for (int second = 0; second < 256; ++second) {
      bytes = {static_cast<char>(first), static_cast<char>(second), '\x80'};
      if (!is_label_text(to_label_text(bytes))) FAIL("bytes " << first << ' ' << second);
    }
  SUCCEED();
}
