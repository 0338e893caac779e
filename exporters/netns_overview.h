// SPDX-License-Identifier: Apache-2.0
// The network namespaces of the machine at a glance: the same in the API, on the page and in
// `tcpdiag namespaces`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/describe.h"
#include "core/facts/netns_list.h"
#include "core/finding.h"
#include "core/report.h"
#include "core/section.h"
#include "exporters/text_sink.h"

namespace tcpdiag {

/// The worst that is found in a namespace now.
struct WorstFinding {
  Severity severity = Severity::info;
  std::string id;
};
constexpr auto members_of(Type<WorstFinding>, auto member) {
  return std::tuple(member("severity", &WorstFinding::severity), member("id", &WorstFinding::id));
}

/// A namespace of the list, and what is known of what is in it.
struct NetnsSummary {
  std::string name;  ///< that its findings and series have
  NetnsKind kind = NetnsKind::other;
  NetnsState state = NetnsState::soon;
  std::int32_t pid = 0;  ///< the oldest process in it; 0: none is known
  std::uint64_t processes = 0;
  Count listeners;    ///< as `tcpdiag listeners` has them
  Count connections;  ///< without listening sockets
  /// Empty: there is none. Of the daemon's own namespace also what is found about the machine.
  std::optional<WorstFinding> worst;
  std::uint64_t findings = 0;  ///< all that go on
  bool cannot_tell = false;    ///< something critical cannot be ruled out
  std::string image, container, compose_project, mount;
};
constexpr auto members_of(Type<NetnsSummary>, auto member) {
  return std::tuple(
      member("name", &NetnsSummary::name), member("kind", &NetnsSummary::kind),
      member("state", &NetnsSummary::state), member("pid", &NetnsSummary::pid, Shown::if_filled),
      member("processes", &NetnsSummary::processes), member("listeners", &NetnsSummary::listeners),
      member("connections", &NetnsSummary::connections), member("worst", &NetnsSummary::worst),
      member("findings", &NetnsSummary::findings), member("cannot_tell", &NetnsSummary::cannot_tell),
      member("image", &NetnsSummary::image, Shown::if_filled),
      member("container", &NetnsSummary::container, Shown::if_filled),
      member("compose_project", &NetnsSummary::compose_project, Shown::if_filled),
      member("mount", &NetnsSummary::mount, Shown::if_filled));
}

/// All of them.
struct NetnsOverview {
  std::vector<NetnsSummary> namespaces;  ///< the daemon's own first, then as they were found
  std::uint64_t cut = 0;                 ///< as NetnsList::cut
  std::uint64_t unreadable = 0;          ///< as NetnsList::unreadable
};
constexpr auto members_of(Type<NetnsOverview>, auto member) {
  return std::tuple(member("namespaces", &NetnsOverview::namespaces), member("cut", &NetnsOverview::cut),
                    member("unreadable", &NetnsOverview::unreadable));
}

/// Empty: the list of namespaces is not known.
std::optional<NetnsOverview> netns_overview(const Report& report);

/// Namespaces that are not watched, for one reason.
struct NetnsLeftOut {
  NetnsState why = NetnsState::soon;
  std::uint64_t count = 0;
  std::vector<std::string> names;  ///< the first kNamed of them

  static constexpr std::size_t kNamed = 10;
};
constexpr auto members_of(Type<NetnsLeftOut>, auto member) {
  return std::tuple(member("why", &NetnsLeftOut::why), member("count", &NetnsLeftOut::count),
                    member("names", &NetnsLeftOut::names));
}

/// What is found and not watched. Empty also where the list is not known.
std::vector<NetnsLeftOut> netns_left_out(const Report& report);

/// GET /api/v1/namespaces: as docs/reference/api.md describes it. Without "namespaces" but with "error" where
/// the list is not known.
void write_netns_json(const Report& report, const TextSink& sink);
std::string netns_json_text(const Report& report);

}  // namespace tcpdiag
