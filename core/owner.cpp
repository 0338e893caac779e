// SPDX-License-Identifier: Apache-2.0
#include "core/owner.h"

#include <algorithm>

namespace tcpdiag {

std::string_view to_string(OwnerKind kind) {
  switch (kind) {
    case OwnerKind::none: return "none";
    case OwnerKind::system_unit: return "system_unit";
    case OwnerKind::user_unit: return "user_unit";
    case OwnerKind::session: return "session";
    case OwnerKind::container: return "container";
    case OwnerKind::machine: return "machine";
    case OwnerKind::other: return "other";
  }
  return "";
}

std::string to_string(const Owner& owner) {
  const bool is_whole = owner.runtime.empty() || (owner.runtime == "nspawn" && is_unit_name(owner.name));
  return is_whole ? owner.name : owner.runtime + ":" + owner.name;
}

Owner named_owner(OwnerKind kind, const std::string& label) {
  Owner owner{.kind = kind, .runtime = {}, .name = label};
  if (kind != OwnerKind::container && kind != OwnerKind::machine) return owner;
  if (is_unit_name(label)) owner.runtime = "nspawn";
  const auto colon = label.find(':');
  if (colon == std::string::npos || is_unit_name(label)) return owner;
  owner.runtime = label.substr(0, colon);
  owner.name = label.substr(colon + 1);
  return owner;
}

Owner system_unit(std::string name) {
  return {.kind = OwnerKind::system_unit, .runtime = {}, .name = std::move(name)};
}

bool is_unit_name(std::string_view name) {
  constexpr std::size_t kLongest = 255;
  constexpr std::string_view kValid = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789:_.\\@-";
  constexpr std::array<std::string_view, 5> kSuffixes = {".service", ".scope", ".socket", ".mount", ".swap"};
  return name.size() <= kLongest && !name.starts_with('@') &&
         name.find_first_not_of(kValid) == std::string_view::npos &&
         std::ranges::any_of(kSuffixes, [&](std::string_view suffix) {
           return name.size() > suffix.size() && name.ends_with(suffix);
         });
}

}  // namespace tcpdiag
