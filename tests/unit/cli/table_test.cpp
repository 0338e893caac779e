// SPDX-License-Identifier: Apache-2.0
#include "cli/table.h"

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

Table sample() {
  Table table({{"NAME", Align::left, 6}, {"COUNT", Align::right}, {"UNIT", Align::left, 6}});
  table.add({{"nginx"}, {"12", Tone::warning}, {"nginx.service"}});
  table.add({{"a-long-name"}, {"?"}, {""}});
  return table;
}

}  // namespace

TEST_CASE("a table has its columns in line and no blanks at the ends") {
  CHECK(sample().to_text({}) ==
        "NAME         COUNT  UNIT\n"
        "nginx           12  nginx.service\n"
        "a-long-name      ?\n");
}

TEST_CASE("a table without rows is its titles") {
  CHECK(Table({{"A"}, {"B", Align::right}}).to_text({}) == "A  B\n");
}

TEST_CASE("a table that is too wide has its widest columns cut, as far as they may be") {
  CHECK(sample().to_text({.columns = 30}) ==
        "NAME        COUNT  UNIT\n"
        "nginx          12  nginx.serv…\n"
        "a-long-na…      ?\n");
  CHECK(sample().to_text({.columns = 10}) ==
        "NAME    COUNT  UNIT\n"
        "nginx      12  nginx…\n"
        "a-lon…      ?\n");
}

TEST_CASE("colours stand around the text and do not count for its width") {
  CHECK(sample().to_text({.colour = true}) ==
        "\x1b[1mNAME\x1b[0m         \x1b[1mCOUNT\x1b[0m  \x1b[1mUNIT\x1b[0m\n"
        "nginx           \x1b[33m12\x1b[0m  nginx.service\n"
        "a-long-name      ?\n");
}

TEST_CASE("a name can neither break a table nor reach the terminal") {
  Table table({{"NAME"}, {"X"}});
  table.add({{"a\nb\x1b[31m\xff\xc2\x9b"}, {"1"}});
  table.add({{"caf\xc3\xa9"}, {"2"}});
  CHECK(table.to_text({}) ==
        "NAME                      X\n"
        "a\\nb\\x1b[31m\\xff\\u{009b}  1\n"
        "caf\xc3\xa9                      2\n");
}

TEST_CASE("what is not known is a question mark, never 0") {
  CHECK(shown(Count()) == "?");
  CHECK(shown(Count(0)) == "0");
  CHECK(shown_share(std::nullopt) == "?");
  CHECK(shown_share(0) == "0%");
  CHECK(shown_share(0.0001) == "<1%");
  CHECK(shown_share(0.9999) == "99%");
  CHECK(shown_share(1) == "100%");
  CHECK(shown_share(1.5) == "150%");
  CHECK(tone_of_share(std::nullopt) == Tone::plain);
  CHECK(tone_of_share(0.79) == Tone::plain);
  CHECK(tone_of_share(0.8) == Tone::warning);
  CHECK(tone_of_share(1) == Tone::critical);
}

TEST_CASE("a column that is not shown takes its cells with it") {
  Table table({{.title = "NETNS", .shown = false}, {"NAME"}});
  table.add({{"host"}, {"nginx"}});
  CHECK(table.to_text({}) == "NAME\nnginx\n");
}
