// SPDX-License-Identifier: Apache-2.0
// What a shell completes: commands, flags and findings. The files in completions/ are made from this.
#pragma once

#include <string>

#include "tests/reference/catalogue.h"

namespace tcpdiag {

std::string bash_completion_of_tcpdiag(const Json& catalogue);
std::string bash_completion_of_tcpdiagd(const Json& catalogue);
/// Of both programs.
std::string zsh_completion(const Json& catalogue);

}  // namespace tcpdiag
