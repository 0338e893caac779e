// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "core/report.h"

namespace tcpdiag {

/// The report's JSON as docs/reference/api.md describes it, with only these sections of every namespace and
/// of the machine, beside what every report has: when it was made, by which version, and how the collectors
/// did.
std::string part_of_report(const Report& report, std::initializer_list<std::string_view> of_namespaces,
                           std::initializer_list<std::string_view> of_machine);

}  // namespace tcpdiag
