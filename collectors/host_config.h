// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>

#include "collectors/collector.h"
#include "collectors/source.h"
#include "core/facts/host_config.h"

namespace tcpdiag {

/// What the host's configuration files ask for: sysctls, and limits of open files for `units` and for logins.
///
/// Sysctls are listed in the order of systemd-sysctl, which applies them at boot: the *.conf files of
/// /etc/sysctl.d, /run/sysctl.d, /usr/local/lib/sysctl.d, /usr/lib/sysctl.d and /lib/sysctl.d by their names,
/// whichever directory they are in (one that an earlier directory has too is masked). /etc/sysctl.conf is
/// among them only where one of these is a link to it, at that one's place: Debian 12 has 99-sysctl.conf,
/// Debian 13 has neither. Where none is, its lines are listed first and marked as not applied at boot.
/// procps' `sysctl --system` differs: it reads /etc/sysctl.conf in any case, and last. So does OpenRC at
/// boot; where it runs the lines come last.
///
/// LimitNOFILE= is the last valid one among a unit's file and its drop-ins, in systemd's directories for
/// units of the system; DefaultLimitNOFILE= likewise of system.conf and its drop-ins. Drop-ins for an alias
/// of a unit are not seen. limits.conf and limits.d are PAM's, for logins: services of the system do not get
/// them.
///
/// A file that cannot be read takes no other with it: it is listed as unread. Error: /proc/sys cannot be
/// read, so that nothing could be said about any sysctl.
Result<HostConfig> read_host_config(Source& source, const std::set<std::string>& units);

/// Files that could not be read, as an error of the run (see make_collector).
Result<void> shortfall(const HostConfig& config);

/// What of such a file may stand in a recording, which leaves the host: unit files hold passwords in their
/// environment, and so do the files of containers, sysctl files can hold keys, and limits of other things do
/// not matter. Any other file's
/// content is returned as it is.
std::string shareable(const std::string& path, const std::string& content);

/// The host's configuration, with the limits of the units that have a process in the previous snapshot.
struct HostConfigReader {
  Result<HostConfig> operator()(const Reading& reading) const;
};

}  // namespace tcpdiag
