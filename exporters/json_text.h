// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace tcpdiag {

/// A document as text, indented by `indent`; on one line when that is negative. Every text in it is as
/// one_line() shows it; that of a "command", which may have several lines, as many_lines() does.
std::string json_text(nlohmann::ordered_json document, int indent);

}  // namespace tcpdiag
