// SPDX-License-Identifier: Apache-2.0
// Findings and incidents as docs/reference/api.md describes them: the same in the API, in the journal and in
// `tcpdiag check --json`.
#pragma once

#include <string>

#include "core/report.h"
#include "exporters/text_sink.h"

namespace tcpdiag {

/// GET /api/v1/findings: what is found at present, and what cannot be told. Bytes that are not UTF-8 become
/// U+FFFD.
std::string findings_json_text(const Report& report);
void write_findings_json(const Report& report, const TextSink& sink);

/// GET /api/v1/incidents: open and closed incidents, with their times.
std::string incidents_json_text(const Report& report);
void write_incidents_json(const Report& report, const TextSink& sink);

/// One finding on one line, for the journal.
std::string finding_json_line(const Incident& incident);

}  // namespace tcpdiag
