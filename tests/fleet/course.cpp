// SPDX-License-Identifier: Apache-2.0
#include "tests/fleet/course.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "collectors/catalog.h"
#include "collectors/recording.h"
#include "daemon/cycle.h"
#include "exporters/prometheus.h"

namespace tcpdiag::fleet {
namespace {

using std::chrono::milliseconds;

double seconds(std::chrono::system_clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// The time is the recording's, and goes on while a collector runs, so that its durations are real.
class RecordedTime {
 public:
  explicit RecordedTime(const Recording& recording) : recording_(recording) {}

  [[nodiscard]] TimePoint now() const {
    return recording_.now() +
           std::chrono::duration_cast<TimePoint::duration>(std::chrono::steady_clock::now() - began_);
  }
  void tick() { began_ = std::chrono::steady_clock::now(); }
  [[nodiscard]] Clocks clocks() const {
    auto clocks = Clocks::system();
    clocks.monotonic = [this] { return now(); };
    clocks.wall = [this] {
      const auto since_start = now() - recording_.about().started;
      return recording_.about().started_at +
             std::chrono::duration_cast<std::chrono::system_clock::duration>(since_start);
    };
    return clocks;
  }

 private:
  const Recording& recording_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

// What a daemon's own HTTP server would add.
HttpUsage one_scraper() { return {.connections = 1}; }

// A histogram's name is that of its samples without this.
std::string_view family_of(std::string_view name) {
  for (const std::string_view suffix : {"_bucket", "_count", "_sum"})
    if (name.ends_with(suffix)) return name.substr(0, name.size() - suffix.size());
  return name;
}

constexpr std::string_view kReportTime = "tcpdiag_report_timestamp_seconds";
constexpr std::string_view kStartTime = "process_start_time_seconds";

void append(std::string& text, double value) {
  char digits[32];
  text.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

}  // namespace

Result<Course> Course::of(const std::filesystem::path& directory) {
  auto recording = Recording::open(directory);
  if (!recording) return tl::unexpected<Error>(recording.error());
  RecordedTime time(*recording);
  const auto open = [&](const std::string& netns, Thread) { return recording->source(netns); };
  Cycle cycle(collector_catalog(), recording->namespaces(), open, {.hurry = false}, time.clocks());
  Course course;
  auto diagnose_at = TimePoint::min();
  for (const auto tick : recording->ticks()) {
    recording->seek(tick);
    time.tick();
    cycle.run_all(tick);
    if (tick < diagnose_at) continue;
    cycle.diagnose(tick);
    diagnose_at = tick + kDiagnosisPeriod;
    if (!cycle.complete()) continue;  // a daemon is not ready until then
    auto report = cycle.report(time.now());
    report.http = one_scraper();
    course.add_page(std::chrono::duration_cast<milliseconds>(tick - recording->about().started),
                    seconds(report.wall_at.time_since_epoch()), to_prometheus_text(report));
  }
  if (course.pages_.empty())
    return tl::unexpected(Error{Errc::malformed, directory.string() + ": gives no page"});
  course.find_rises();
  return course;
}

void Course::add_page(milliseconds at, double wall_seconds, std::string_view text) {
  Page page{at, wall_seconds, {}};
  std::set<std::string, std::less<>> counters;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto number = line.rfind(' ') + 1;
    if (line.starts_with('#')) {
      if (line.starts_with("# TYPE ") && (line.ends_with(" counter") || line.ends_with(" histogram")))
        counters.emplace(line.substr(7, number - 8));
      page.lines.push_back({std::string(line)});
      continue;
    }
    const auto name = line.substr(0, line.find_first_of("{ "));
    const auto kind = counters.contains(name) || counters.contains(family_of(name)) ? Line::counter
                      : name == kReportTime                                         ? Line::report_time
                      : name == kStartTime                                          ? Line::start_time
                                                                                    : Line::still;
    Line kept{.text = std::string(line.substr(0, kind == Line::still ? line.size() : number)), .kind = kind};
    std::from_chars(line.data() + number, line.data() + line.size(), kept.value);
    page.lines.push_back(std::move(kept));
  }
  pages_.push_back(std::move(page));
}

// From the first page that has a counter to the last one: in the next round it begins where it ended.
void Course::find_rises() {
  const auto first_at = pages_.front().at;
  length_ = pages_.back().at - first_at + std::chrono::duration_cast<milliseconds>(kDiagnosisPeriod);
  std::map<std::string_view, std::pair<double, double>> first_and_last;
  for (auto& page : pages_) {
    page.at -= first_at;
    for (const auto& line : page.lines)
      if (line.kind == Line::counter)
        first_and_last.try_emplace(line.text, line.value, line.value).first->second.second = line.value;
  }
  for (auto& page : pages_)
    for (auto& line : page.lines)
      if (line.kind == Line::counter) {
        const auto [first, last] = first_and_last.at(line.text);
        line.rise = std::max(0.0, last - first);
      }
}

std::string Course::page(std::chrono::system_clock::time_point started,
                         std::chrono::system_clock::time_point now) const {
  const auto played = std::chrono::duration_cast<milliseconds>(now - started);
  const auto rounds = static_cast<double>(played / length_);
  const auto next = std::ranges::upper_bound(pages_, played % length_, {}, &Page::at);
  const auto& page = *std::prev(next);
  const double moved = seconds(now.time_since_epoch() - (played % length_ - page.at)) - page.wall_seconds;

  std::string text;
  for (const auto& line : page.lines) {
    text += line.text;
    if (line.kind == Line::counter) append(text, line.value + rounds * line.rise);
    if (line.kind == Line::report_time) append(text, line.value + moved);
    if (line.kind == Line::start_time) append(text, seconds(started.time_since_epoch()));
    text += '\n';
  }
  return text;
}

}  // namespace tcpdiag::fleet
