// SPDX-License-Identifier: Apache-2.0
#include "cli/paragraph.h"

#include "tests/catch.h"

using namespace tcpdiag;
using Lines = std::vector<std::string>;

TEST_CASE("lines break at blanks and are as long as they may be") {
  CHECK(wrapped("one two three", 7) == Lines{"one two", "three"});
  CHECK(wrapped("one two three", 6) == Lines{"one", "two", "three"});
  CHECK(wrapped("one two three", 13) == Lines{"one two three"});
  CHECK(wrapped("  one   two ", 20) == Lines{"one two"});
  CHECK(wrapped("", 20).empty());
  CHECK(wrapped("   ", 20).empty());
}

TEST_CASE("a word that is longer than a line is broken where lines end") {
  CHECK(wrapped("a bbbbbbb c", 3) == Lines{"a", "bbb", "bbb", "b c"});
  CHECK(wrapped("äöüäöü", 3) == Lines{"äöü", "äöü"});
  CHECK(wrapped("ab", 0) == Lines{"a", "b"});
}

TEST_CASE("what is no text is shown as text") {
  CHECK(wrapped("a\nb\x1b[1m \xff", 20) == Lines{"a\\nb\\x1b[1m \\xff"});
}

TEST_CASE("a paragraph's first line has its mark, the others are indented as far") {
  CHECK(paragraph("- ", "one two", 5) == "- one\n  two\n");
  CHECK(paragraph("- ", "", 5) == "");
  CHECK(paragraph("12345", "ab", 3) == "12345a\n     b\n");
}
