// SPDX-License-Identifier: Apache-2.0
#include "core/facts/settings.h"

#include <algorithm>

namespace tcpdiag {

const Sysctl* Settings::find(std::string_view name) const {
  const auto found =
      std::find_if(sysctls.begin(), sysctls.end(), [&](const Sysctl& sysctl) { return sysctl.name == name; });
  return found == sysctls.end() ? nullptr : &*found;
}

}  // namespace tcpdiag
