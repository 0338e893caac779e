// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/report.h"
#include "exporters/samples.h"
#include "exporters/text_sink.h"

namespace tcpdiag {

/// The Content-Type of to_prometheus_text().
inline constexpr std::string_view kPrometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

/// The report in Prometheus' text format 0.0.4. A family without samples is left out. Values are doubles, as
/// they are in Prometheus: a counter beyond 2^53 is rounded.
std::string to_prometheus_text(const Report& report, const Limits& limits = {});

/// The same, family by family.
void write_prometheus(const Report& report, const Limits& limits, const TextSink& sink);

}  // namespace tcpdiag
