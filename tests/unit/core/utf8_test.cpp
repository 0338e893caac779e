// SPDX-License-Identifier: Apache-2.0
#include "core/utf8.h"

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

TEST_CASE("an escaped text is one line of valid UTF-8") {
  CHECK(escaped("plain \xc3\xa9") == "plain \xc3\xa9");
  CHECK(escaped("\"\\\n\t\r\x7f\0"sv) == R"(\"\\\n\t\u000d\u007f\u0000)");
  CHECK(escaped("\xc2\x9b") == R"(\u009b)");
  CHECK(escaped("a\xff") == "a\xef\xbf\xbd");
  CHECK(one_line("\"\\\n\xc2\x9b\xff") == "\"\\\\n\\u009b\xef\xbf\xbd");
}
