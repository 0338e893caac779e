// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <algorithm>
#include <iostream>

#include "cli/command.h"
#include "cli/owner_names.h"
#include "cli/sample.h"
#include "collectors/live_source.h"
#include "core/utf8.h"
#include "daemon/clock.h"

namespace tcpdiag {
namespace {

/// Says what could not be read. Whether that leaves the question open is the command's to say.
void complain(const Report& report) {
  for (const auto& failure : failures_of(report)) std::cerr << "tcpdiag: " << one_line(failure) << "\n";
  if (const auto note = unknown_owners_note(report.snapshot); !note.empty())
    std::cerr << "tcpdiag: " << note << "\n";
}

}  // namespace

int fail(const Error& error) {
  std::cerr << "tcpdiag: " << one_line(error.detail) << "\n";
  return kFailed;
}

int mistake(const Error& error) {
  fail(error);
  return kMistake;
}

int show(const std::string& text) {
  std::cout << text << std::flush;
  return std::cout ? 0 : fail({Errc::failed, "standard output: cannot be written"});
}

int answer(const Report& report, std::initializer_list<std::string_view> decisive, const std::string& text) {
  const auto shown = show(text);
  complain(report);
  const bool open = std::ranges::any_of(report.runs, [&](const CollectorRun& run) {
    return run.has_run() && !run.outcome && std::ranges::find(decisive, run.collector) != decisive.end();
  });
  return open ? kFailed : shown;
}

std::unique_ptr<Source> live_source(const std::string& netns) {
  return make_live_source({.netns = netns, .clock = Clocks::system().monotonic});
}

}  // namespace tcpdiag
