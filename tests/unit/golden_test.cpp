// SPDX-License-Identifier: Apache-2.0
#include "tests/golden.h"

using namespace tcpdiag;

TEST_CASE("two texts are told apart by the first line that differs") {
  CHECK(first_difference("a\nb\nc\n", "a\nx\nc\n") == "line 2\n  committed: b\n  now:       x");
  CHECK(first_difference("a\n", "a\nb\n") == "line 2\n  committed: (the file ends)\n  now:       b");
  CHECK(first_difference("a\nb\n", "a\n") == "line 2\n  committed: b\n  now:       (the text ends)");
  CHECK(first_difference("a\n", "a") == "the end of the last line");
}
