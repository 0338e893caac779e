// SPDX-License-Identifier: Apache-2.0
// What the daemon can be told. docs/reference/config.md is made from the table behind this header.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "core/result.h"
#include "daemon/flags.h"
#include "daemon/log.h"

namespace tcpdiag {

/// Every option with its default. Values that came through load_options() are valid.
struct Options {
  std::vector<std::string> listen_addresses = {":10180"};  ///< see parse_listen_address()
  std::vector<std::string> allowed_hosts;                  ///< see AllowedHosts; beside the host's own names
  std::string external_url;                                ///< see is_external_url(); empty: not known
  std::string web_config_file;                             ///< see read_web_config(); empty: none
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::logfmt;
  std::set<std::string, std::less<>> collectors_off;  ///< names from collector_catalog()
  double cpu_budget = 0.01;                           ///< share of one core that collecting may use
  /// Network namespaces to watch beside the daemon's own: a name under /run/netns, or an absolute path such
  /// as /proc/PID/ns/net.
  std::vector<std::string> namespaces;
  std::vector<std::string> netns_include;     ///< NetnsFilter::include
  std::vector<std::string> netns_exclude;     ///< NetnsFilter::exclude
  std::uint32_t max_listeners = 1000;         ///< exported for each namespace
  std::uint32_t max_server_ports = 1000;      ///< exported for each namespace
  std::uint32_t max_processes = 50;           ///< exported
  std::uint32_t max_connections = 512;        ///< to the daemon's own port
  std::uint32_t max_connections_per_ip = 64;  ///< of them, from one address

  bool operator==(const Options&) const = default;
};

/// The command line ends the program before it has begun: --help, --version, --config.check, or a mistake.
struct EarlyExit {
  int code = 0;  ///< 0: `text` is for standard output; 2: a mistake, for standard error
  /// A mistake is one line that names the flag or the file and key, the value, and what is allowed; ends with
  /// a newline.
  std::string text;
};

/// Defaults, then the file that --config.file names, then the flags. `arguments` are those after the
/// program's name. To reload the configuration, call it again with the same arguments: on a mistake the old
/// options stay.
tl::expected<Options, EarlyExit> load_options(const std::vector<std::string>& arguments);

/// Reads the web configuration file and the certificates it names, as a start does; what the log would warn
/// of. Empty: nothing, or there is no such file. Errors: what is wrong, with file and line.
Result<std::vector<std::string>> check_web_config(const Options& options);

/// Every flag of tcpdiagd.
std::vector<FlagSpec> known_flags();

/// The keys whose values differ and take effect only after a restart.
std::vector<std::string> needs_restart(const Options& before, const Options& after);

}  // namespace tcpdiag
