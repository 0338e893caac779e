// SPDX-License-Identifier: Apache-2.0
// What a shell completes: commands, flags and findings. The files in completions/ are made from this.
#pragma once

#include <string>

namespace tcpdiag {

std::string bash_completion_of_tcpdiag();
std::string bash_completion_of_tcpdiagd();
/// Of both programs.
std::string zsh_completion();

}  // namespace tcpdiag
