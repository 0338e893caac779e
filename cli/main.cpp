// SPDX-License-Identifier: Apache-2.0
#include <exception>
#include <iostream>

#include "cli/arguments.h"
#include "cli/output.h"

namespace {

using namespace tcpdiag;

int run(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    std::cerr << usage();
    return kMistake;
  }
  const auto action = parse_arguments(arguments);
  if (action) return (*action)();
  fail(action.error());
  return status_of_mistake(arguments);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  try {
    return run(arguments);
  } catch (const std::exception& error) {  // libraries throw; nothing of ours does
    std::cerr << "tcpdiag: " << error.what() << "\n";
    return status_of_failure(arguments);
  }
}
