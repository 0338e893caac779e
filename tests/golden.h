// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/catch.h"

namespace tcpdiag {

/// Checks that the file, whose path begins in the source folder, holds exactly `text`. With
/// TCPDIAG_WRITE_REFERENCE in the environment it is written first: look at the difference before committing
/// it.
inline void check_committed(const std::string& file, const std::string& text) {
  const auto path = std::string(TCPDIAG_SOURCE_DIR "/") + file;
  if (std::getenv("TCPDIAG_WRITE_REFERENCE") != nullptr) std::ofstream(path, std::ios::binary) << text;
  std::ifstream stream(path, std::ios::binary);
  const std::string committed{std::istreambuf_iterator<char>(stream), {}};
  INFO(file << " differs; to write it anew: TCPDIAG_WRITE_REFERENCE=1 ./build/dev/tests/unit_tests");
  CHECK(committed == text);
}

}  // namespace tcpdiag
