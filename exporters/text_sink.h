// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string_view>

namespace tcpdiag {

/// Takes a page piece by piece, in order, so that a large one need not be held as a whole. What is given is
/// gone after the call.
using TextSink = std::function<void(std::string_view)>;

}  // namespace tcpdiag
