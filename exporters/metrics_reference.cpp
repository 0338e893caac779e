// SPDX-License-Identifier: Apache-2.0
#include "exporters/metric_catalog.h"

namespace tcpdiag {
namespace {

constexpr std::string_view kIntroduction =
    R"(<!-- SPDX-License-Identifier: Apache-2.0 -->
<!-- Made from the tables in exporters/metric_catalog.cpp and core/facts/tcp_counters.cpp: TCPDIAG_WRITE_REFERENCE=1 unit_tests. Do not edit. -->
# Metrics

What `/metrics` shows, from the same table. Three rules hold everywhere:

- What is not known has no sample. A counter that this kernel lacks, a file that may not be read, a listener
  newer than the latest dump: nothing is shown rather than 0. `tcpdiag_collector_success` says which collector
  failed, `/api/v1/report` says why.
- `netns` is the network namespace: `host` is the daemon's own, others carry their name below `/run/netns`,
  or the path as configured.
- What is not seen in a name is shown as `\n`, `\xNN` or `\u{NNNN}`, as [api.md](api.md#json) describes it.
)";

std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string label_list(const MetricSpec& spec) {
  std::string list;
  for (const auto label : spec.labels) list.append(list.empty() ? "" : ", ").append(label);
  return list;
}

}  // namespace

std::string metrics_reference() {
  std::string page(kIntroduction);
  std::string_view group;
  for (const auto& spec : metric_catalog()) {
    if (spec.group != group) {
      group = spec.group;
      page.append("\n## ").append(group).append("\n\n");
      page.append("| metric | type | labels | meaning | source |\n|---|---|---|---|---|\n");
    }
    page.append("| `").append(spec.name).append("` | ").append(to_string(spec.type)).append(" | ");
    page.append(label_list(spec)).append(" | ").append(cell(spec.help)).append(" | ");
    page.append(cell(spec.source)).append(" |\n");
  }
  return page;
}

}  // namespace tcpdiag
