// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace tcpdiag {

/// The highest cost of a hash that is taken: the time doubles with each step, and with 15 it is one or two
/// seconds.
inline constexpr unsigned kMaxBcryptCost = 15;

/// The cost of a bcrypt hash "$2a$10$...", "$2b$..." or "$2y$..."; 0: it is none.
unsigned bcrypt_cost(std::string_view hash);

/// Whether the hash was made of this password; of which bcrypt takes the first 72 bytes. It takes long on
/// purpose. `hash` must have a bcrypt_cost(). A wrong password takes as long as it does with a hash of the
/// cost `as_long_as`, if that is higher.
bool bcrypt_matches(const std::string& hash, const std::string& password, unsigned as_long_as = 0);

}  // namespace tcpdiag
