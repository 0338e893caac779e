// SPDX-License-Identifier: Apache-2.0
#include "collectors/file_handles.h"

#include "tests/catch.h"
#include "tests/fake_source.h"

using namespace tcpdiag;

TEST_CASE("open files and their limit are read") {
  const auto files = parse_file_handles("485\t0\t9223372036854775807\n");  // Linux 6.18
  REQUIRE(files);
  CHECK(files->open == 485);
  CHECK(files->max == 9223372036854775807U);
}

TEST_CASE("files that the kernel keeps in reserve are not open") {
  CHECK(parse_file_handles("500\t20\t100000\n")->open == 480);  // Linux 2.4
}

TEST_CASE("file-nr cut at any byte is an error") {
  const std::string_view whole = "485\t0\t2466186\n";
  for (std::size_t length = 0; length < whole.size(); ++length)
    CHECK_FALSE(parse_file_handles(whole.substr(0, length)));
}

TEST_CASE("a garbled file-nr is an error that names the file") {
  for (const auto* bad :
       {"\n", "garbage\n", "1 0\n", "1 0 2 3\n", "-1 0 2\n", "1 2 3\n", "1 0 99999999999999999999\n"}) {
    const auto files = parse_file_handles(bad);
    REQUIRE_FALSE(files);
    CHECK(files.error().code == Errc::malformed);
    CHECK_THAT(files.error().detail, ContainsSubstring("/proc/sys/fs/file-nr: "));
  }
}

TEST_CASE("a file-nr that may not be read is an error") {
  FakeSource source;
  source.deny("/proc/sys/fs/file-nr");
  CHECK(read_file_handles(source).error().code == Errc::denied);
}
