// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include "tests/catch.h"

namespace tcpdiag {

/// Where two texts part: the number of the line, and the line of each.
inline std::string first_difference(const std::string& committed, const std::string& now) {
  std::istringstream committed_lines(committed), now_lines(now);
  std::string was, is;
  for (int number = 1;; ++number) {
    const bool more_was = static_cast<bool>(std::getline(committed_lines, was));
    const bool more_is = static_cast<bool>(std::getline(now_lines, is));
    if (!more_was && !more_is) return "the end of the last line";
    if (more_was && more_is && was == is) continue;
    return "line " + std::to_string(number) + "\n  committed: " + (more_was ? was : "(the file ends)") +
           "\n  now:       " + (more_is ? is : "(the text ends)");
  }
}

/// Checks that the file, whose path begins in the source folder, holds exactly `text`. With
/// TCPDIAG_WRITE_REFERENCE in the environment it is written first: look at the difference before committing
/// it.
inline void check_committed(const std::string& file, const std::string& text) {
  const auto path = std::string(TCPDIAG_SOURCE_DIR "/") + file;
  if (std::getenv("TCPDIAG_WRITE_REFERENCE") != nullptr) std::ofstream(path, std::ios::binary) << text;
  std::ifstream stream(path, std::ios::binary);
  const std::string committed{std::istreambuf_iterator<char>(stream), {}};
  if (committed == text) return;
  INFO(file << " differs; to write it again: TCPDIAG_WRITE_REFERENCE=1 ./build/dev/tests/unit_tests");
  FAIL_CHECK(first_difference(committed, text));
}

}  // namespace tcpdiag
