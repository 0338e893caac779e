// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

#include "collectors/collector.h"
#include "collectors/source.h"
#include "core/snapshot.h"

namespace tcpdiag {

/// What the host's configuration files ask for: sysctls, and limits of open files for `units`.
///
/// Sysctls are listed in the order of procps' `sysctl --system`: the *.conf files of /etc/sysctl.d,
/// /run/sysctl.d, /usr/local/lib/sysctl.d, /usr/lib/sysctl.d and /lib/sysctl.d by their names, whichever
/// directory they are in (one that an earlier directory has too is masked), then /etc/sysctl.conf. At boot
/// systemd-sysctl applies the same files in the same order, but /etc/sysctl.conf only where a link in one of
/// the directories leads to it; it is listed either way, because people write into it, and only once.
///
/// LimitNOFILE= is the last one among a unit's file and its drop-ins, in systemd's directories for units of
/// the system. Drop-ins for an alias of a unit are not seen, nor what DefaultLimitNOFILE= says.
///
/// A file that cannot be read takes no other with it: it is listed as unread. Error: /proc/sys cannot be
/// read, so that nothing could be said about any sysctl.
Result<HostConfig> read_host_config(Source& source, const std::set<std::string>& units);

/// Files that could not be read, as an error of the run (see make_collector).
Result<void> shortfall(const HostConfig& config);

/// What of such a file may stand in a recording, which leaves the host: unit files hold passwords in their
/// environment, sysctl files can hold keys. Any other file's content is returned as it is.
std::string shareable(const std::string& path, const std::string& content);

/// The host's configuration, with the limits of the units that have a process in the previous snapshot.
struct HostConfigReader {
  Result<HostConfig> operator()(const Reading& reading) const;
};

}  // namespace tcpdiag
