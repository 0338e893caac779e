// SPDX-License-Identifier: Apache-2.0
#include "tests/incidents/watch.h"

#include <algorithm>

#include "tests/bench/http_client.h"
#include "tests/incidents/namespaces.h"
#include "tests/shell.h"

namespace tcpdiag::incidents {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 10180;
constexpr auto kPeriod = 200ms;

void note(std::vector<Sighting>& sightings, const SeenFinding& finding, TimePoint at, TimePoint last_asked) {
  const auto known =
      std::ranges::find_if(sightings, [&](const Sighting& each) { return each.finding.is_same(finding); });
  if (known == sightings.end()) {
    sightings.push_back({.finding = finding, .first = at, .last = at});
    return;
  }
  if (known->last != last_asked) ++known->opened;
  known->finding = finding;
  known->last = at;
}

}  // namespace

Watch::Watch(Side side, std::vector<Expected> expected) : side_(side), expected_(std::move(expected)) {
  said_.matches.resize(expected_.size());
}

Watch::~Watch() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

void Watch::begin() {
  inside(side_, [] {
    wait_until("the daemon to be ready", [] {
      std::this_thread::sleep_for(20ms);
      return bench::HttpClient(kPort, "/-/ready").fetch().has_value();
    });
  });
  thread_ = std::thread([this] { inside(side_, [this] { ask_on(); }); });
}

std::string Watch::report() const {
  std::string report;
  inside(side_, [&] { report = bench::HttpClient(kPort, "/api/v1/report").fetch().value_or(""); });
  return report;
}

void Watch::ask_on() {
  bench::HttpClient client(kPort, "/api/v1/findings");
  for (auto next_at = now(); !stopping_; next_at += kPeriod) {
    std::this_thread::sleep_until(next_at);
    if (const auto answer = client.fetch()) {
      take(*answer);
    } else {
      const std::lock_guard lock(mutex_);
      said_.trouble = "no answer with status 200 from /api/v1/findings";
    }
  }
}

void Watch::take(const std::string& answer) {
  const auto findings = parse_findings(answer);
  const std::lock_guard lock(mutex_);
  said_.latest = answer;
  if (!findings) {
    said_.trouble = findings.error().detail;
    return;
  }
  if (findings->size() >= most_) said_.fullest = answer;
  most_ = std::max(most_, findings->size());
  const auto at = now();
  for (const auto& finding : *findings) {
    note(said_.sightings, finding, at, said_.last_asked);
    for (std::size_t each = 0; each < expected_.size(); ++each) {
      if (!matches(expected_[each], finding)) continue;
      auto& match = said_.matches[each];
      if (!match.first) match.first = at;
      match.last = at;
    }
  }
  said_.last_asked = at;
}

Said Watch::said() const {
  const std::lock_guard lock(mutex_);
  return said_;
}

bool Watch::is_there(std::size_t expected) const {
  const auto& match = said_.matches[expected];
  return match.first && match.last == said_.last_asked;
}

bool Watch::all_there() const {
  const std::lock_guard lock(mutex_);
  for (std::size_t each = 0; each < expected_.size(); ++each)
    if (!is_there(each)) return false;
  return true;
}

bool Watch::all_closed() const {
  const std::lock_guard lock(mutex_);
  for (std::size_t each = 0; each < expected_.size(); ++each)
    if (expected_[each].closes && is_there(each)) return false;
  return true;
}

}  // namespace tcpdiag::incidents
