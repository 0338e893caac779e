// SPDX-License-Identifier: Apache-2.0
// Stages the incidents that the daemon must tell apart, on the running kernel, and shows what it said.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>

#include "tests/incidents/matrix.h"
#include "tests/incidents/runner.h"

namespace {

using namespace tcpdiag::incidents;

constexpr int kSkipped = 77;

struct Options {
  PlayOptions play;
  std::vector<std::string> only;
  unsigned jobs = 8;
  unsigned repeat = 1;
  bool list = false;
};

std::vector<Scenario> chosen(const Options& options) {
  auto scenarios = all_scenarios();
  std::vector<Scenario> chosen;
  for (unsigned each = 0; each < options.repeat; ++each)
    std::ranges::copy_if(scenarios, std::back_inserter(chosen), [&](const Scenario& scenario) {
      return options.only.empty() || std::ranges::find(options.only, scenario.id) != options.only.end() ||
             std::ranges::find(options.only, scenario.name) != options.only.end();
    });
  return chosen;
}

int play(const Options& options) {
  const auto scenarios = chosen(options);
  if (scenarios.empty()) {
    std::cerr << "incidents: no such scenario\n";
    return 2;
  }
  if (options.list) {
    for (const auto& scenario : scenarios) std::cout << scenario.id << "\t" << scenario.name << "\n";
    return 0;
  }
  if (::geteuid() != 0) {
    std::cerr << "skipped: namespaces of its own need root\n";
    return kSkipped;
  }
  for (const auto& directory : {options.play.keep_logs, options.play.record})
    if (!directory.empty()) std::filesystem::create_directories(directory);
  const auto outcomes = play_all(scenarios, options.play, options.jobs,
                                 [](const Outcome& outcome) { std::cout << to_text(outcome) << std::flush; });
  std::cout << "\n" << to_matrix(outcomes);
  const auto passed = std::ranges::count(outcomes, Outcome::Verdict::passed, &Outcome::verdict);
  const auto failed = static_cast<std::ptrdiff_t>(outcomes.size()) - passed;
  std::cout << passed << " passed, " << failed << " failed\n";
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options.play.programs = std::filesystem::canonical("/proc/self/exe").parent_path().parent_path();
  CLI::App app("Stages incidents in namespaces of their own, with the real daemon beside them.");
  app.add_option("--only", options.only, "Ids or names of scenarios; all without it")->delimiter(',');
  app.add_option("--jobs", options.jobs, "Scenarios at a time")->capture_default_str();
  app.add_option("--repeat", options.repeat, "Times each is played")->capture_default_str();
  app.add_option("--programs", options.play.programs, "Where tcpdiagd and tcpdiag are")
      ->capture_default_str();
  app.add_option("--keep-logs", options.play.keep_logs, "Directory for the daemons' logs and last reports");
  app.add_option("--record", options.play.record, "Directory for a recording of each scenario");
  app.add_flag("--stage-only", options.play.stage_only, "No daemon: only whether each can be staged");
  app.add_flag("--list", options.list, "Only tell ids and names");
  CLI11_PARSE(app, argc, argv);
  try {
    return play(options);
  } catch (const std::exception& error) {
    std::cerr << "incidents: " << error.what() << "\n";
    return 1;
  }
}
