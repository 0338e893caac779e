// SPDX-License-Identifier: Apache-2.0
// The command line: one command, one function.
#include <exception>
#include <iostream>

#include "cli/arguments.h"
#include "cli/replay.h"
#include "core/utf8.h"
#include "core/version.h"
#include "exporters/json.h"
#include "exporters/prometheus.h"

namespace {

using namespace tcpdiag;

constexpr int kFailed = 1;
constexpr int kMistake = 2;

int fail(const Error& error) {
  std::cerr << "tcpdiag: " << one_line(error.detail) << "\n";
  return kFailed;
}

int show(const std::string& text) {
  std::cout << text << std::flush;
  return std::cout ? 0 : fail({Errc::failed, "standard output: cannot be written"});
}

int run(const RecordOptions& options) {
  const auto recorded = record(options, Clocks::system());
  if (!recorded) return fail(recorded.error());
  std::cerr << "tcpdiag: " << to_line(*recorded, options) << "\n";
  return recorded->anything ? 0 : kFailed;
}

int run(const ReplayOptions& options) {
  const auto report = replay(options.directory);
  if (!report) return fail(report.error());
  return show(options.metrics ? to_prometheus_text(*report) : to_json_text(*report));
}

int run(ShowHelp) { return show(usage()); }
int run(ShowVersion) { return show("tcpdiag " + std::string(version()) + "\n"); }

int run(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    std::cerr << usage();
    return kMistake;
  }
  const auto command = parse_arguments(arguments);
  if (!command) {
    fail(command.error());
    return kMistake;
  }
  return std::visit([](const auto& chosen) { return run(chosen); }, *command);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(std::vector<std::string>(argv + 1, argv + argc));
  } catch (const std::exception& error) {  // libraries throw; nothing of ours does
    std::cerr << "tcpdiag: " << error.what() << "\n";
    return kFailed;
  }
}
