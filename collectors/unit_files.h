// SPDX-License-Identifier: Apache-2.0
// The files that describe systemd's units, systemd.unit(5) and systemd.syntax(7).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/facts/host_config.h"

namespace tcpdiag {

/// A line that sets LimitNOFILE= (systemd.exec(5)) or DefaultLimitNOFILE= (systemd-system.conf(5)), or is
/// meant to.
struct FileLimitSetting {
  std::uint32_t line = 0;
  std::string value;  ///< as written; parse_file_limit_value() says what systemd makes of it
  /// Why systemd does not read it: wrong_section, or misspelt_limit, whose value is "KEY=VALUE". Empty: it
  /// does.
  std::optional<IgnoredBecause> because;
};

/// Every LimitNOFILE= in the unit's own section ([Service] for NAME.service) of a unit file or drop-in, in
/// its order: '#' and ';' begin comments, a backslash at the end joins lines, a byte order mark is passed
/// over. Also what was probably meant as one: in another section, or in its own and misspelt by a letter or
/// two. Sections and keys that begin with "X-" are for others than systemd.
std::vector<FileLimitSetting> parse_file_limits(std::string_view unit, std::string_view text);

/// The same of DefaultLimitNOFILE= in the section [Manager] of system.conf, user.conf or a drop-in of theirs.
std::vector<FileLimitSetting> parse_default_file_limits(std::string_view text);

/// The text with everything but sections and these settings left out, every line in its place: a unit's
/// environment is nobody's business.
std::string only_file_limits(std::string_view text);

/// The names a unit goes by among unit files, its own first, then its template's: {"a@1.service",
/// "a@.service"}.
std::vector<std::string> unit_file_names(std::string_view unit);

/// The directories of its drop-ins within one directory of units, the most specific first: for "a-b.service"
/// "a-b@1.service.d", "a-b@.service.d", "a-@1.service.d", "a-@.service.d". That of all units of the type,
/// "service.d", is not among them: it stands behind those of every directory of units.
std::vector<std::string> drop_in_directory_names(std::string_view unit);

}  // namespace tcpdiag
