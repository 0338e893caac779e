// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "tests/reference/catalogue.h"

namespace tcpdiag {

/// The first line of the part of monitoring/prometheus/alerts.yml that findings_alerts() makes; it goes on to
/// the end of the file.
inline constexpr std::string_view kFindingsAlertsBegin =
    "  # From here on made from the rules in diagnosis/rules: TCPDIAG_WRITE_REFERENCE=1 unit_tests. Do not "
    "edit.\n";

/// The same of the part of monitoring/prometheus/alertmanager.example.yml that findings_inhibitions() makes.
inline constexpr std::string_view kFindingsInhibitionsBegin =
    "  # From here on made from the rules in diagnosis/rules: TCPDIAG_WRITE_REFERENCE=1 unit_tests. Do not "
    "edit.\n"
    "  # What follows from a finding is silent while that one fires.\n";

/// The name of the alert about a finding: "accept-queue-app-stalled" is TcpdiagAcceptQueueAppStalled.
std::string alert_name(std::string_view finding);

/// An alert for every finding that is a warning or critical, one for those that this file does not know, and
/// one for those that come again and again. Begins with kFindingsAlertsBegin.
std::string findings_alerts(const Json& catalogue);

/// The end of Alertmanager's inhibit_rules: an alert about what follows from a finding, as RuleInfo::explains
/// has it, is silent while the finding's own fires on the same host, namespace and subject; so is one about a
/// whole namespace, of which the daemon cannot say which subject it is. Begins with
/// kFindingsInhibitionsBegin.
std::string findings_inhibitions(const Json& catalogue);

}  // namespace tcpdiag
