// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace tcpdiag {

/// A text that stands in a configuration file itself, or in a file of its own. At most one of the two is
/// set.
struct TextSource {
  std::string text;
  std::string file;  ///< as it was written: relative to the directory of the file that names it

  [[nodiscard]] bool given() const { return !text.empty() || !file.empty(); }
  [[nodiscard]] bool twice() const { return !text.empty() && !file.empty(); }
  bool operator==(const TextSource&) const = default;
};

}  // namespace tcpdiag
