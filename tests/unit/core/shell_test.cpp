// SPDX-License-Identifier: Apache-2.0
#include "core/shell.h"

#include "tests/catch.h"

using namespace tcpdiag;

TEST_CASE("what a shell takes for itself is shown as it is") {
  for (const auto* word :
       {"nginx.service", "10.0.0.1", "fe80::1%eth0", "getty@tty1.service", "a=b", "1,2+3", "-x"})
    CHECK(shell_quoted(word) == word);
}

TEST_CASE("anything else is put in single quotes") {
  CHECK(shell_quoted("a b") == "'a b'");
  CHECK(shell_quoted("[::1]:80") == "'[::1]:80'");
  CHECK(shell_quoted("x;reboot") == "'x;reboot'");
  CHECK(shell_quoted("$(id)`id`") == "'$(id)`id`'");
  CHECK(shell_quoted("it's") == R"('it'\''s')");
  CHECK(shell_quoted("a\\b") == "'a\\b'");
  CHECK(shell_quoted("\xc3\xa9") == "'\xc3\xa9'");
  CHECK(shell_quoted("~") == "'~'");
  CHECK(shell_quoted("") == "''");
}

TEST_CASE("what would be shown otherwise than it is cannot be copied") {
  for (const std::string& text : {std::string("a\nb"), std::string("a\rb"), std::string("a\tb"),
                                  std::string("a\x1b[2J"), std::string("a\x7f"), std::string("a\0b", 3),
                                  std::string("a\xff"), std::string("a\xc2\x9b"), std::string("a\xc3")}) {
    INFO(text);
    CHECK_FALSE(shell_quoted(text));
  }
}
