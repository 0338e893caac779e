// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "diagnosis/rule.h"

namespace tcpdiag {

/// Every rule, family by family.
std::span<const Rule> rule_catalog();

/// Those about settings, which need no history: one snapshot is enough to judge them.
std::span<const Rule> settings_catalog();

/// The rule with that id, or nullptr.
const Rule* find_rule(std::string_view id);

}  // namespace tcpdiag
