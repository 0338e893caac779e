// SPDX-License-Identifier: Apache-2.0
#include "cli/connections.h"

#include <utility>

#include "cli/closed_by_peer.h"
#include "cli/command.h"
#include "cli/flag_values.h"
#include "cli/output.h"
#include "cli/port_view.h"
#include "cli/report_part.h"
#include "cli/sample.h"
#include "cli/terminal.h"
#include "diagnosis/entry.h"

namespace tcpdiag {
namespace {

/// The peers of the sockets that port_text() shows, and who holds them.
ClosedByPeer closed_by_peer(const Report& report) {
  ClosedByPeer closed;
  for (const auto& netns : report.snapshot.namespaces)
    if (netns.connections.known()) add_peers(closed, netns, *live_source(entry_of(report.snapshot, netns)));
  add_descriptors(closed, report.snapshot, *live_source());
  return closed;
}

int run(const ConnectionsOptions& options) {
  const auto netns = choose_netns(options.namespaces);
  if (!netns) return mistake(netns.error());
  auto report = sample({{"sysctl", "listeners", "connections", "processes"}, *netns}, Clocks::system());
  narrow(report, *netns);
  ClosedByPeer closed;
  if (options.port) {
    report = only_port(std::move(report), *options.port);
    if (!options.json) closed = closed_by_peer(report);
  }
  const auto style = standard_output_style();
  const auto text = options.json   ? part_of_report(report, {"listeners", "connections"}, {})
                    : options.port ? port_text(report, *options.port, closed, style)
                                   : connections_text(report, style);
  return answer(report, {"connections"}, text);
}

Result<Action> parse(const GivenFlags& given) {
  ConnectionsOptions options{.json = given.contains("--json")};
  if (const auto flag = given.find("--port"); flag != given.end()) {
    const auto port = parse_number<std::uint16_t>("--port", flag->second.front());
    if (!port) return tl::unexpected<Error>(port.error());
    options.port = *port;
  }
  return run_where_given(given, run, std::move(options));
}

}  // namespace

CommandSpec connections_command() {
  return {"connections",
          " [--port=N] [--netns=NETNS]... [--json]",
          {{"--port", true}, netns_flag(), {"--json"}},
          0,
          parse,
          R"(      Look for a second and show the connections by service port and state, those not yet
      accepted (UNACCEPTED), how long, at least, the oldest has been in CLOSE_WAIT (OLDEST), and
      which destinations use the most ephemeral ports.
  --port=N
      Only those with this service port, and more about them: the peers of those longest in
      CLOSE_WAIT, and which process holds them, as which descriptor (FD).
)"};
}

}  // namespace tcpdiag
