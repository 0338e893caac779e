// SPDX-License-Identifier: Apache-2.0
#include "collectors/conmon.h"

#include <algorithm>

#include "collectors/proc_pid.h"
#include "core/text.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kConmon = "conmon";

std::string_view next_argument(std::string_view& cmdline) {
  const auto argument = cmdline.substr(0, cmdline.find('\0'));
  cmdline.remove_prefix(std::min(argument.size() + 1, cmdline.size()));
  return argument;
}

}  // namespace

std::optional<std::string> parse_conmon_name(std::string_view cmdline, std::string_view id) {
  const auto program = next_argument(cmdline);
  if (program.substr(program.rfind('/') + 1) != kConmon) return std::nullopt;
  std::string_view cid, name;
  while (!cmdline.empty()) {
    const auto argument = next_argument(cmdline);
    if (argument == "-c" || argument == "--cid") cid = next_argument(cmdline);
    if (argument == "-n" || argument == "--name") name = next_argument(cmdline);
  }
  if (cid != id || name.empty()) return std::nullopt;
  return std::string(name);
}

std::optional<std::string> name_by_conmon(Source& source, std::int32_t pid, std::string_view id,
                                          std::uint32_t user) {
  constexpr int kMostAbove = 16;  // the process that was met first may be a child's child of the first one
  for (int above = 0; above < kMostAbove && pid > 1; ++above) {
    const auto directory = pid_directory(pid);
    const auto status = source.read(directory + "/status");
    if (!status) return std::nullopt;
    const auto comm = above == 0 ? Result<std::string>() : source.read(directory + "/comm");
    if (comm && trimmed(*comm, "\n") == kConmon) {
      const auto cmdline =
          parse_pid_user(*status) == user ? source.read(directory + "/cmdline") : Result<std::string>();
      return cmdline ? parse_conmon_name(*cmdline, id) : std::nullopt;
    }
    pid = parse_pid_parent(*status).value_or(0);
  }
  return std::nullopt;
}

}  // namespace tcpdiag
