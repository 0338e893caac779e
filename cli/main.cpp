// SPDX-License-Identifier: Apache-2.0
// The command line: one subcommand, one function.
#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/record.h"
#include "cli/replay.h"
#include "core/version.h"
#include "exporters/json.h"
#include "exporters/prometheus.h"

namespace {

using namespace tcpdiag;

int fail(const Error& error) {
  std::cerr << "tcpdiag: " << error.detail << "\n";
  return 1;
}

void add_record(CLI::App& app, int& status) {
  auto* command =
      app.add_subcommand("record", "Write down what the collectors read, to be replayed elsewhere");
  auto options = std::make_shared<RecordOptions>();
  auto seconds = std::make_shared<double>(30);
  command->add_option("DIR", options->directory, "directory to make; must not exist or be empty")->required();
  command->add_option("--duration", *seconds, "seconds to record")
      ->check(CLI::Range(0.1, 86400.0))
      ->capture_default_str();
  command->add_option("--netns", options->namespaces,
                      "another network namespace to record: a name or a path");
  command->callback([=, &status] {
    options->duration =
        std::chrono::round<std::chrono::milliseconds>(std::chrono::duration<double>(*seconds));
    if (auto recorded = record(*options, Clocks::system()); !recorded) status = fail(recorded.error());
  });
}

void add_replay(CLI::App& app, int& status) {
  auto* command =
      app.add_subcommand("replay", "Run the collectors on a recording and show what was known at its end");
  auto directory = std::make_shared<std::string>();
  auto format = std::make_shared<std::string>("json");
  command->add_option("DIR", *directory, "recording made by 'tcpdiag record'")->required();
  command->add_option("--format", *format, "'json' as /api/v1/report, or 'metrics' as /metrics")
      ->check(CLI::IsMember({"json", "metrics"}))
      ->capture_default_str();
  command->callback([=, &status] {
    const auto report = replay(*directory);
    if (!report) {
      status = fail(report.error());
      return;
    }
    std::cout << (*format == "json" ? to_json_text(*report) : to_prometheus_text(*report)) << std::flush;
    if (!std::cout) status = fail({Errc::failed, "standard output: cannot be written"});
  });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Asks the kernel why TCP connections fail", "tcpdiag");
  app.require_subcommand(1);
  app.set_version_flag("--version", "tcpdiag " + std::string(version()));
  int status = 0;
  add_record(app, status);
  add_replay(app, status);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  return status;
}
