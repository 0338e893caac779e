// SPDX-License-Identifier: Apache-2.0
// Findings and incidents as docs/reference/api.md describes them: the same in the API, in the journal and in
// `tcpdiag check --json`.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/report.h"

namespace tcpdiag {

/// One open incident's finding. A key that is not known is left out.
nlohmann::ordered_json finding_json(const Incident& incident);

/// GET /api/v1/findings: what is found at present, and what cannot be told.
nlohmann::ordered_json findings_json(const Report& report);

/// GET /api/v1/incidents: open and closed incidents, with their times.
nlohmann::ordered_json incidents_json(const Report& report);

/// The same as text. Bytes that are not UTF-8 become U+FFFD.
std::string findings_json_text(const Report& report);
std::string incidents_json_text(const Report& report);
/// One finding on one line, for the journal.
std::string finding_json_line(const Incident& incident);

}  // namespace tcpdiag
