// SPDX-License-Identifier: Apache-2.0
// The files that describe systemd's units, systemd.unit(5) and systemd.syntax(7).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tcpdiag {

/// What a unit file says about LimitNOFILE= (systemd.exec(5)).
struct FileLimitSetting {
  std::uint32_t line = 0;
  std::string
      value;  ///< as written: "65536", "1024:524288", "infinity"; empty: it takes back what was set before
};

/// The last LimitNOFILE= in the unit's own section ([Service] for NAME.service) of a unit file or drop-in, as
/// systemd reads it: '#' and ';' begin comments, a backslash at the end joins lines, a value that is no limit
/// is passed over. Empty: it has none.
std::optional<FileLimitSetting> parse_file_limit(std::string_view unit, std::string_view text);

/// The text with everything but sections and LimitNOFILE= left out, every line in its place: a unit's
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
