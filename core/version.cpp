// SPDX-License-Identifier: Apache-2.0
#include "core/version.h"

namespace tcpdiag {

std::string_view version() { return TCPDIAG_VERSION; }

}  // namespace tcpdiag
