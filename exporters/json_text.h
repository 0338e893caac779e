// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace tcpdiag {

/// A document as text, indented by `indent`; on one line when that is negative. Every text and every
/// key in it is as one_line() shows it; the text of a "command", which may have several lines, as
/// many_lines() does.
std::string json_text(nlohmann::ordered_json document, int indent);

}  // namespace tcpdiag
