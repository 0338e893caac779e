// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/report.h"
#include "core/time_text.h"
#include "exporters/text_sink.h"

namespace tcpdiag {

/// The report as docs/reference/api.md describes it. A section that is not known is {"error": ...}, a value
/// that is not known is left out.
std::string to_json_text(const Report& report);

/// The same piece by piece: of a host with very many listeners it is many megabytes.
void write_json(const Report& report, const TextSink& sink);

}  // namespace tcpdiag
