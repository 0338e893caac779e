// SPDX-License-Identifier: Apache-2.0
#include "tests/reference/metrics_reference.h"

#include "tests/reference/markdown.h"

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

std::string label_list(const Json& labels) {
  std::string list;
  for (const auto& label : labels) list += (list.empty() ? "" : ", ") + label.get<std::string>();
  return list;
}

}  // namespace

std::string metrics_reference(const Json& catalogue) {
  std::string page(kIntroduction);
  std::string_view group;
  for (const auto& metric : catalogue.at("metrics")) {
    if (text_of(metric, "group") != group) {
      group = text_of(metric, "group");
      page.append("\n## ").append(group).append("\n\n");
      page.append("| metric | type | labels | meaning | source |\n|---|---|---|---|---|\n");
    }
    page.append("| ").append(code(text_of(metric, "name"))).append(" | ").append(text_of(metric, "type"));
    page.append(" | ").append(label_list(metric.at("labels"))).append(" | ");
    page.append(cell(text_of(metric, "help")))
        .append(" | ")
        .append(cell(text_of(metric, "source")))
        .append(" |\n");
  }
  return page;
}

}  // namespace tcpdiag
