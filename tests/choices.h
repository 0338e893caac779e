// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tcpdiag {

/// Choices made by bytes, which a fuzzer or a random generator gives: the same bytes, the same choices. When
/// they are used up, each choice is the first one.
class Choices {
 public:
  explicit Choices(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  [[nodiscard]] bool used_up() const { return bytes_.empty(); }

  /// From 0 to `bound` - 1, at most 65535.
  std::size_t below(std::size_t bound) {
    const std::size_t value = bound <= 256 ? byte() : byte() << 8 | byte();
    return value % bound;
  }
  bool one_in(std::size_t count) { return below(count) == count - 1; }

  /// A number as a kernel may give it, or a hostile recording: often small, often beside a bound of its type.
  std::uint64_t number() {
    constexpr std::array<std::uint64_t, 4> kBounds = {std::uint64_t{1} << 31, std::uint64_t{1} << 32,
                                                      std::uint64_t{1} << 63, 0};
    switch (below(6)) {
      case 0: return below(3);
      case 1: return below(256);
      case 2: return below(65536);
      case 3: return kBounds.at(below(4)) - below(3);
      case 4: return 9'000'000'000'000'000'000U + below(256);
      default: return raw();
    }
  }
  template <class T>
  T number_as() {
    return static_cast<T>(number());
  }

  /// One of a list.
  template <class T, std::size_t N>
  const T& of(const std::array<T, N>& all) {
    return all[below(N)];
  }

  std::string bytes(std::size_t most) {
    std::string text(below(most + 1), '\0');
    for (auto& c : text) c = static_cast<char>(byte());
    return text;
  }

 private:
  std::size_t byte() {
    if (bytes_.empty()) return 0;
    const auto first = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return first;
  }
  std::uint64_t raw() {
    std::uint64_t value = 0;
    for (int i = 0; i < 8; ++i) value = value << 8 | byte();
    return value;
  }

  std::span<const std::uint8_t> bytes_;
};

/// Bytes to choose by, the same ones for the same seed on every machine.
inline std::vector<std::uint8_t> bytes_of_seed(std::uint32_t seed, std::size_t count) {
  std::mt19937 random(seed);
  std::vector<std::uint8_t> bytes(count);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return bytes;
}

}  // namespace tcpdiag
