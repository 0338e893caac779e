// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/play.h"

#include <fstream>
#include <thread>

#include "tests/incidents/daemon.h"
#include "tests/incidents/judge.h"
#include "tests/incidents/stage.h"
#include "tests/incidents/watch.h"
#include "tests/shell.h"

namespace tcpdiag::incidents {
namespace {

// The programs under test in one namespace.
struct Observer {
  Program daemon;
  std::optional<Program> recording;
};

std::string to_text(Side side) { return side == Side::peer ? "peer" : "home"; }

std::vector<Side> sides_of(const Scenario& scenario) {
  return scenario.peer ? std::vector{Side::home, Side::peer} : std::vector{Side::home};
}

std::vector<Expected> expected_at(const Scenario& scenario, Side side) {
  auto expected = scenario.expected;
  std::erase_if(expected, [side](const Expected& each) { return each.side != side; });
  return expected;
}

class Play {
 public:
  Play(const Scenario& scenario, const PlayOptions& options,
       const std::function<void(const std::string&)>& on_step)
      : scenario_(scenario),
        options_(options),
        stage_(scenario, watches_, {.on_step = on_step, .on_found = [this] { look_at_its_height(); }}) {}

  Outcome run_through() {
    const auto started = now();
    outcome_.id = scenario_.id;
    outcome_.name = scenario_.name;
    try {
      stage_it();
    } catch (const std::exception& error) {
      outcome_.failures.emplace_back(error.what());
    }
    outcome_.observed = stage_.observed();
    if (outcome_.failures.empty()) judge_it();
    if (!outcome_.failures.empty()) add_evidence();
    outcome_.seconds = std::chrono::duration<double>(now() - started).count();
    return std::move(outcome_);
  }

 private:
  void stage_it() {
    if (scenario_.before_daemon) scenario_.before_daemon(stage_);
    if (!options_.stage_only)
      for (const auto side : sides_of(scenario_)) begin_to_observe(side);
    stage_.begin();
    scenario_.play(stage_);
  }

  void look_at_its_height() {
    if (!options_.keep_logs.empty())
      for (const auto& watch : watches_) reports_.push_back(watch->report());
    end_recordings();
  }

  // A recording is of how it began: replaying tells what was known at its end, when the heaviest collectors
  // have seen it once more.
  void end_recordings() {
    if (!options_.record.empty()) std::this_thread::sleep_for(std::chrono::seconds(5));
    for (auto& observer : observers_)
      if (observer.recording) observer.recording->stop();
  }

  void begin_to_observe(Side side) {
    auto& observer = observers_.emplace_back(
        Observer{.daemon = start_daemon(options_.programs, side, scenario_.is_container)});
    auto& watch = watches_.emplace_back(std::make_unique<Watch>(side, expected_at(scenario_, side)));
    watch->begin();
    if (options_.record.empty()) return;
    const auto name = scenario_.name + (side == Side::peer ? "-peer" : "");
    observer.recording = start_recording(options_.programs, side, options_.record / name);
  }

  void judge_it() {
    const auto evidence = stage_.evidence_at(), removed = stage_.removed_at();
    const Course course{.evidence = evidence.value_or(now()), .removed = removed.value_or(now())};
    for (const auto& watch : watches_) judge(scenario_, watch->said(), course, outcome_);
    outcome_.verdict = outcome_.failures.empty() ? Outcome::Verdict::passed : Outcome::Verdict::failed;
  }

  void add_evidence() {
    for (std::size_t each = 0; each < watches_.size(); ++each) {
      const auto said = watches_[each]->said();
      const auto side = to_text(watches_[each]->side());
      if (said.fullest() != said.latest())
        outcome_.evidence += side + ": findings at their fullest:\n" + said.fullest() + "\n";
      outcome_.evidence += side + ": findings at the end:\n" + said.latest() + "\n" + side +
                           ": the daemon's log:\n" + observers_[each].daemon.log();
      if (observers_[each].recording) outcome_.evidence += observers_[each].recording->log();
    }
    if (options_.keep_logs.empty()) return;
    std::ofstream(options_.keep_logs / (scenario_.name + ".log")) << outcome_.evidence;
    for (std::size_t each = 0; each < reports_.size(); ++each)
      std::ofstream(options_.keep_logs /
                    (scenario_.name + "-" + to_text(watches_[each]->side()) + ".report.json"))
          << reports_[each];
  }

  const Scenario& scenario_;
  const PlayOptions& options_;
  std::vector<Observer> observers_;
  std::vector<std::unique_ptr<Watch>> watches_;  // end before the daemons that they ask
  std::vector<std::string> reports_;             // of each watch, when it was found or given up
  Stage stage_;
  Outcome outcome_;
};

}  // namespace

Outcome play(const Scenario& scenario, const PlayOptions& options,
             const std::function<void(const std::string&)>& on_step) {
  return Play(scenario, options, on_step).run_through();
}

}  // namespace tcpdiag::incidents
