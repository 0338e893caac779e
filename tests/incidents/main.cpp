// SPDX-License-Identifier: Apache-2.0
// Stages the incidents that the daemon must tell apart, on the running kernel, and shows what it said.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "tests/incidents/matrix.h"
#include "tests/incidents/published_port.h"
#include "tests/incidents/real_servers.h"
#include "tests/incidents/runner.h"

namespace {

using namespace tcpdiag::incidents;

constexpr int kSkipped = 77;

struct Options {
  PlayOptions play;
  std::vector<std::string> only;
  unsigned jobs = 16;  // they mostly wait
  unsigned repeat = 1;
  bool list = false;
  std::filesystem::path outcomes;
  std::filesystem::path matrix_of;
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

void keep(const Outcome& outcome, const std::filesystem::path& directory) {
  if (!directory.empty()) std::ofstream(directory / (outcome.name + ".json")) << to_json(outcome);
}

// What ./dev has unpacked is found as if it were installed.
void look_into(const std::filesystem::path& tools) {
  const auto add = [](const char* name, const std::string& directories) {
    const char* present = std::getenv(name);
    ::setenv(name, (present == nullptr ? directories : present + (":" + directories)).c_str(), 1);
  };
  add("PATH", (tools / "usr/bin").string() + ":" + (tools / "usr/sbin").string());
  add("PYTHONPATH", tools / "usr/lib/python3/dist-packages");
}

// Takes out those whose program is not here, and tells which.
void skip_unplayable(std::vector<Scenario>& scenarios) {
  std::erase_if(scenarios, [](const Scenario& scenario) {
    const bool missing = !scenario.needs.empty() && find_program(scenario.needs).empty();
    if (missing) std::cerr << "skipped: " << scenario.name << " needs the program " << scenario.needs << "\n";
    return missing;
  });
}

// Those that take all of the machine are played when the others, which measure times, are over.
std::vector<Outcome> play_in_order(const std::vector<Scenario>& scenarios, const Options& options) {
  const auto on_end = [&](const Outcome& outcome) {
    std::cout << to_text(outcome) << std::flush;
    keep(outcome, options.outcomes);
  };
  std::vector<Outcome> outcomes;
  for (const bool load : {false, true}) {
    auto part = scenarios;
    std::erase_if(part, [load](const Scenario& scenario) { return scenario.load != load; });
    std::ranges::move(play_all(part, options.play, options.jobs, on_end), std::back_inserter(outcomes));
  }
  return outcomes;
}

// The matrix, and whether all passed.
int conclude(const std::vector<Outcome>& outcomes) {
  const auto passed = std::ranges::count(outcomes, Outcome::Verdict::passed, &Outcome::verdict);
  const auto failed = static_cast<std::ptrdiff_t>(outcomes.size()) - passed;
  std::cout << "\n" << to_matrix(outcomes) << passed << " passed, " << failed << " failed\n";
  return failed == 0 ? 0 : 1;
}

// Of outcomes that were kept. A scenario that left none has failed.
int show_matrix(const std::vector<Scenario>& scenarios, const std::filesystem::path& directory) {
  std::vector<Outcome> outcomes;
  for (const auto& scenario : scenarios) {
    std::ostringstream text;
    text << std::ifstream(directory / (scenario.name + ".json")).rdbuf();
    outcomes.push_back(parse_outcome(text.str()).value_or(Outcome{.id = scenario.id, .name = scenario.name}));
  }
  return conclude(outcomes);
}

int list(const std::vector<Scenario>& scenarios) {
  for (const auto& scenario : scenarios)
    std::cout << scenario.id << " " << scenario.name << (scenario.load ? " load" : "") << "\n";
  return 0;
}

int play(const std::vector<Scenario>& scenarios, const Options& options) {
  if (::geteuid() != 0) {
    std::cerr << "skipped: namespaces of its own need root\n";
    return kSkipped;
  }
  for (const auto& directory : {options.play.keep_logs, options.play.record, options.outcomes})
    if (!directory.empty()) std::filesystem::create_directories(directory);
  return conclude(play_in_order(scenarios, options));
}

int run(const Options& options) {
  auto scenarios = chosen(options);
  if (scenarios.empty()) throw std::runtime_error("no such scenario");
  if (options.list) return list(scenarios);
  skip_unplayable(scenarios);
  if (scenarios.empty()) return kSkipped;
  if (!options.matrix_of.empty()) return show_matrix(scenarios, options.matrix_of);
  return play(scenarios, options);
}

}  // namespace

int main(int argc, char** argv) {
  if (is_started_as_proxy(argv[0])) play_proxy({argv, static_cast<std::size_t>(argc)});
  Options options;
  options.play.programs = std::filesystem::canonical("/proc/self/exe").parent_path().parent_path();
  look_into(options.play.programs.parent_path() / "tools");
  CLI::App app("Stages incidents in namespaces of their own, with the real daemon beside them.");
  app.add_option("--only", options.only, "Ids or names of scenarios; all without it")->delimiter(',');
  app.add_option("--jobs", options.jobs, "Scenarios at a time")->capture_default_str();
  app.add_option("--repeat", options.repeat, "Times each is played")->capture_default_str();
  app.add_option("--programs", options.play.programs, "Where tcpdiagd and tcpdiag are")
      ->capture_default_str();
  app.add_option("--keep-logs", options.play.keep_logs,
                 "Directory for what the daemons said where a scenario failed");
  app.add_option("--record", options.play.record, "Directory for a recording of each scenario");
  app.add_flag("--stage-only", options.play.stage_only, "No daemon: only whether each can be staged");
  app.add_option("--outcomes", options.outcomes, "Directory for an outcome of each scenario");
  app.add_option("--matrix", options.matrix_of, "Only show the matrix of the outcomes in a directory");
  app.add_flag("--list", options.list, "Only tell ids and names, and which load the machine");
  CLI11_PARSE(app, argc, argv);
  try {
    return run(options);
  } catch (const std::exception& error) {
    std::cerr << "incidents: " << error.what() << "\n";
    return 1;
  }
}
