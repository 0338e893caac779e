// SPDX-License-Identifier: Apache-2.0
#include "exporters/without_capabilities.h"

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <thread>

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

/// The lines about capabilities of the calling thread that tell what it holds.
std::string held() {
  std::ifstream status("/proc/thread-self/status");
  std::string line, lines;
  while (std::getline(status, line))
    if (line.starts_with("Cap") && !line.starts_with("CapBnd"))
      lines += line.substr(line.find('\t') + 1) + "\n";
  return lines;
}

}  // namespace

TEST_CASE("a function runs without capabilities, and so do the threads that it starts") {
  const std::string none(16, '0'), nothing = none + "\n" + none + "\n" + none + "\n" + none + "\n";
  const auto before = held();
  std::string inside, below;
  REQUIRE(without_capabilities([&] {
    inside = held();
    std::thread([&] { below = held(); }).join();
  }));
  CHECK(inside == nothing);
  CHECK(below == nothing);
  CHECK(held() == before);
}
