// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/describe.h"
#include "core/result.h"

namespace tcpdiag {

/// One assignment in a sysctl.d file.
struct SysctlLine {
  std::string file;
  std::uint32_t line = 0;
  std::string name;   ///< with dots: "net.ipv4.tcp_tw_recycle"; may be a pattern: "net.ipv4.conf.*.rp_filter"
  std::string value;  ///< as written; of a key that is a secret "(hidden)"
  /// Whether this kernel has it. Empty: could not be told, or the name is a pattern, or the kernel has it for
  /// network interfaces and this one is not there now.
  std::optional<bool> exists;
  bool excludes = false;  ///< "-NAME" without a value: takes the key out of patterns and earlier assignments
  bool at_boot = true;    ///< false: systemd-sysctl does not read the file (/etc/sysctl.conf without a link)
};
constexpr auto members_of(Type<SysctlLine>, auto member) {
  return std::tuple(member("file", &SysctlLine::file), member("line", &SysctlLine::line),
                    member("name", &SysctlLine::name), member("value", &SysctlLine::value),
                    member("exists", &SysctlLine::exists), member("excludes", &SysctlLine::excludes),
                    member("at_boot", &SysctlLine::at_boot));
}

/// LimitNOFILE= of a systemd unit, as the last file that sets it says.
struct UnitFileLimit {
  std::string unit;  ///< empty: DefaultLimitNOFILE=, for units that have none of their own
  std::string file;
  std::uint32_t line = 0;
  std::string value;  ///< as written: "65536", "1024:524288", "0x10000", "infinity"; octal as decimal
};
constexpr auto members_of(Type<UnitFileLimit>, auto member) {
  return std::tuple(member("unit", &UnitFileLimit::unit, Shown::if_filled),
                    member("file", &UnitFileLimit::file), member("line", &UnitFileLimit::line),
                    member("value", &UnitFileLimit::value));
}

/// A line about "nofile" of /etc/security/limits.conf or limits.d, which PAM applies to logins.
struct LoginFileLimit {
  std::string domain;  ///< whom it is for: "*", "nginx", "@group"
  std::string type;    ///< "soft", "hard", "-"
  std::string file;
  std::uint32_t line = 0;
  std::string value;  ///< "65536", "unlimited"
};
constexpr auto members_of(Type<LoginFileLimit>, auto member) {
  return std::tuple(member("domain", &LoginFileLimit::domain), member("type", &LoginFileLimit::type),
                    member("file", &LoginFileLimit::file), member("line", &LoginFileLimit::line),
                    member("value", &LoginFileLimit::value));
}

/// Why nothing takes over what a line of a configuration file says.
enum class IgnoredBecause {
  no_assignment,    ///< of a sysctl file: it has no '='
  no_limit,         ///< what should be a limit of open files is none: "unlimited", "1M"
  soft_above_hard,  ///< "2048:1024"
  empty_limit,      ///< "LimitNOFILE=" takes back nothing
  wrong_section,    ///< "LimitNOFILE=" under [Unit]
  misspelt_limit,   ///< "LimitNoFile="
};

/// "no_assignment", "no_limit", ...
std::string_view to_string(IgnoredBecause because);
constexpr auto values_of(Type<IgnoredBecause>) { return first_values<IgnoredBecause, 6>(); }

/// A line that is passed over when its file is applied.
struct IgnoredLine {
  std::string file;
  std::uint32_t line = 0;
  /// The line (also where its key is misspelt), or the limit in it; at most kMaxText bytes, any bytes;
  /// "(hidden)".
  std::string text;
  std::string unit;  ///< whose limit it should be; empty: no unit's
  IgnoredBecause because = IgnoredBecause::no_assignment;

  static constexpr std::size_t kMaxText = 80;
};
constexpr auto members_of(Type<IgnoredLine>, auto member) {
  return std::tuple(member("file", &IgnoredLine::file), member("line", &IgnoredLine::line),
                    member("text", &IgnoredLine::text), member("unit", &IgnoredLine::unit, Shown::if_filled),
                    member("because", &IgnoredLine::because));
}

/// What the configuration files of the host ask for: sysctl.d(5), systemd.unit(5), systemd-system.conf(5),
/// limits.conf(5).
struct HostConfig {
  /// In the order in which they are applied, first those that no boot applies; at most kMaxLines.
  std::vector<SysctlLine> sysctls;
  /// Of the units in Snapshot::processes, while that is known; by unit.
  std::vector<UnitFileLimit> file_limits;
  std::optional<UnitFileLimit> default_file_limit{};
  std::vector<LoginFileLimit> login_limits{};  ///< at most kMaxLogins
  std::vector<IgnoredLine> ignored{};          ///< at most kMaxIgnored
  bool systemd = false;                        ///< it was systemd that booted the host
  std::uint64_t cut = 0;                       ///< assignments, limits and ignored lines beyond these bounds
  /// Files and directories that are there but could not be read, at most kMaxUnread: what they ask for is not
  /// known. First those of sysctls, then all others.
  std::vector<Error> unread_sysctls;
  std::vector<Error> unread;

  static constexpr std::size_t kMaxLines = 4096;
  static constexpr std::size_t kMaxLogins = 256;
  static constexpr std::size_t kMaxIgnored = 128;
  static constexpr std::size_t kMaxUnread = 64;
};
constexpr std::string_view collector_of(Type<HostConfig>) { return "host_config"; }
constexpr auto members_of(Type<HostConfig>, auto member) {
  return std::tuple(member("sysctls", &HostConfig::sysctls), member("file_limits", &HostConfig::file_limits),
                    member("default_file_limit", &HostConfig::default_file_limit),
                    member("login_limits", &HostConfig::login_limits),
                    member("ignored", &HostConfig::ignored), member("systemd", &HostConfig::systemd),
                    member("cut", &HostConfig::cut), member("unread_sysctls", &HostConfig::unread_sysctls),
                    member("unread", &HostConfig::unread));
}

}  // namespace tcpdiag
