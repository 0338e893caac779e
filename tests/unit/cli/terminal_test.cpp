// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include "tests/catch.h"

using namespace tcpdiag;

TEST_CASE("text is coloured on a terminal, and nowhere else") {
  CHECK(style_for({.terminal = true, .term = "xterm"}).colour);
  CHECK_FALSE(style_for({.terminal = false, .term = "xterm"}).colour);
  CHECK_FALSE(style_for({.terminal = true, .no_color = "1", .term = "xterm"}).colour);
  CHECK_FALSE(style_for({.terminal = true, .term = "dumb"}).colour);
}

TEST_CASE("text is as wide as the terminal, up to 100 columns") {
  CHECK(style_for({.terminal = true, .columns = 80}).columns == 80);
  CHECK(style_for({.terminal = true, .columns = 250}).columns == 100);
  CHECK(style_for({.terminal = true, .columns = 5}).columns == 40);
  CHECK(style_for({.terminal = true}).columns == 100);
  CHECK(style_for({.terminal = false, .columns = 80}).columns == 100);
}

TEST_CASE("text has the colour of its tone") {
  CHECK(toned("x", Tone::critical, {.colour = true}) == "\x1b[1;31mx\x1b[0m");
  CHECK(toned("x", Tone::plain, {.colour = true}) == "x");
  CHECK(toned("", Tone::critical, {.colour = true}).empty());
  CHECK(toned("x", Tone::critical, {}) == "x");
}

TEST_CASE("text is cut between characters") {
  CHECK(columns_of("caf\xc3\xa9") == 4);
  CHECK(cut_to("caf\xc3\xa9", 4) == "caf\xc3\xa9");
  CHECK(cut_to("caf\xc3\xa9s", 4) == "caf…");
  CHECK(cut_to("\xc3\xa9\xc3\xa9\xc3\xa9", 2) == "\xc3\xa9…");
  CHECK(cut_to("abc", 1) == "…");
  CHECK(cut_to("abc", 0).empty());
  CHECK(cut_middle_to("[2001:db8::1]:8443", 18) == "[2001:db8::1]:8443");
  CHECK(cut_middle_to("[2001:db8::1]:8443", 12) == "[2001…]:8443");
  CHECK(cut_middle_to("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 3) == "\xc3\xa9…\xc3\xa9");
  CHECK(cut_middle_to("abc", 1) == "…");
  CHECK(cut_middle_to("abc", 0).empty());
}
