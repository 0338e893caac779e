// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "core/result.h"

namespace tcpdiag {

/// Calls `function` on a thread of its own that has given up every capability, and waits for it. Threads that
/// `function` starts have none either: what strangers send is read where there is nothing to be gained by it.
/// `function` must not throw. An error means that it was not called.
Result<void> without_capabilities(const std::function<void()>& function);

}  // namespace tcpdiag
