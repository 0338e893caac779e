// SPDX-License-Identifier: Apache-2.0
#include "tests/shell.h"

#include <cstdio>
#include <stdexcept>
#include <thread>

#include "core/result.h"

namespace tcpdiag {

using namespace std::chrono_literals;

TimePoint now() { return std::chrono::steady_clock::now(); }

std::string run(const std::string& command) {
  FILE* pipe = ::popen(("{ " + command + "; } 2>&1").c_str(), "re");
  if (pipe == nullptr) throw std::runtime_error(system_error(errno, command).detail);
  std::string output;
  char buffer[4096];
  while (const auto length = std::fread(buffer, 1, sizeof buffer, pipe)) output.append(buffer, length);
  const int status = ::pclose(pipe);
  if (status != 0) throw std::runtime_error(command + ": status " + std::to_string(status) + "\n" + output);
  return output;
}

bool holds_within(std::chrono::milliseconds time, const std::function<bool()>& condition) {
  const auto give_up_at = now() + time;
  while (!condition()) {
    if (now() > give_up_at) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

void wait_until(const std::string& what, const std::function<bool()>& condition) {
  if (!holds_within(20s, condition)) throw std::runtime_error("waited in vain for " + what);
}

}  // namespace tcpdiag
