// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/describe.h"
#include "core/result.h"

namespace tcpdiag {

/// One sysctl as it was read. A sysctl that this kernel or namespace does not have is not in the list.
struct Sysctl {
  std::string_view name;             ///< "net.core.somaxconn"; points into sysctl_table() (core/sysctls.h)
  std::vector<std::int64_t> values;  ///< its numbers, one for each field in the table; empty for a word
  std::string text;                  ///< as in the file, without the newline

  bool operator==(const Sysctl&) const = default;
};
constexpr auto members_of(Type<Sysctl>, auto member) {
  return std::tuple(member("name", &Sysctl::name), member("values", &Sysctl::values),
                    member("text", &Sysctl::text));
}

/// A sysctl that is there but could not be read, or that reads otherwise than documented.
struct UnreadSysctl {
  std::string_view name;  ///< points into sysctl_table()
  Error error;

  bool operator==(const UnreadSysctl&) const = default;
};
constexpr auto members_of(Type<UnreadSysctl>, auto member) {
  return std::tuple(member("name", &UnreadSysctl::name), member("error", &UnreadSysctl::error));
}

/// The settings of a namespace, in the order of sysctl_table(). The machine-wide ones are in the host's view
/// only.
struct Settings {
  std::vector<Sysctl> sysctls;
  std::vector<UnreadSysctl> unread;  ///< unknown rather than absent; normally none

  /// nullptr when this kernel or namespace does not have it.
  [[nodiscard]] const Sysctl* find(std::string_view name) const;
  bool operator==(const Settings&) const = default;
};
constexpr std::string_view collector_of(Type<Settings>) { return "sysctl"; }
constexpr auto members_of(Type<Settings>, auto member) {
  return std::tuple(member("sysctls", &Settings::sysctls), member("unread", &Settings::unread));
}

}  // namespace tcpdiag
