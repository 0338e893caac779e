// SPDX-License-Identifier: Apache-2.0
#include "cli/record.h"

#include <iostream>

#include "cli/command.h"
#include "cli/flag_values.h"
#include "cli/output.h"

namespace tcpdiag {
namespace {

int run(const RecordOptions& options) {
  const auto netns = choose_netns(options.namespaces);
  if (!netns) return mistake(netns.error());
  const auto recorded = record(options, *netns, Clocks::system());
  if (!recorded) return fail(recorded.error());
  std::cerr << "tcpdiag: " << to_line(*recorded, options) << "\n";
  return recorded->anything ? 0 : kFailed;
}

Result<Action> parse(const GivenFlags& given) {
  const auto directory = parse_directory(given, "record");
  if (!directory) return tl::unexpected<Error>(directory.error());
  return run_where_given(given, run, RecordOptions{.directory = *directory});
}

}  // namespace

CommandSpec record_command() {
  return {"record",
          " DIR [--duration=TIME] [--netns=NETNS]...",
          {{"--duration", true}, netns_flag()},
          1,
          parse,
          R"(      Record what the collectors read, for replay elsewhere: as root of all network namespaces of
      the machine, unless --netns is given. DIR is created; if it exists, it must be empty.
  --duration=TIME
      How long to record, in seconds, or with a unit such as 500ms, 10s or 2m. Default: 30.
)"};
}

}  // namespace tcpdiag
