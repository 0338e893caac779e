// SPDX-License-Identifier: Apache-2.0
#include "exporters/bcrypt.h"

#include <crypt.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace tcpdiag {
namespace {

std::string with_cost(std::string hash, unsigned cost) {
  hash[4] = static_cast<char>('0' + cost / 10);
  hash[5] = static_cast<char>('0' + cost % 10);
  return hash;
}

}  // namespace

unsigned bcrypt_cost(std::string_view hash) {
  constexpr std::size_t kLength = 60;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_base64 = [&](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '/';
  };
  if (hash.size() != kLength || !hash.starts_with("$2") || hash[3] != '$' || hash[6] != '$') return 0;
  if (hash[2] != 'a' && hash[2] != 'b' && hash[2] != 'y') return 0;
  if (!is_digit(hash[4]) || !is_digit(hash[5]) || !std::ranges::all_of(hash.substr(7), is_base64)) return 0;
  const auto cost = static_cast<unsigned>((hash[4] - '0') * 10 + (hash[5] - '0'));
  return cost >= 4 && cost <= 31 ? cost : 0;
}

bool bcrypt_matches(const std::string& hash, const std::string& password, unsigned as_long_as) {
  const auto scratch = std::make_unique<crypt_data>();  // 32 KiB: too much for a stack
  const char* made = ::crypt_r(password.c_str(), hash.c_str(), scratch.get());
  const bool same = made != nullptr && hash == made;
  const bool matches = same && password.find('\0') == std::string::npos;  // it was read up to there only
  // 2^c rounds are done, and with 2^c, 2^(c+1), 2^(c+2) ... of them more it is 2^as_long_as in the end
  for (auto cost = bcrypt_cost(hash); !matches && cost < as_long_as; ++cost)
    ::crypt_r(password.c_str(), with_cost(hash, cost).c_str(), scratch.get());
  ::explicit_bzero(scratch.get(), sizeof *scratch);
  return matches;
}

}  // namespace tcpdiag
