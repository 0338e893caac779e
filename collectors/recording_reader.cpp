// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <optional>

#include "collectors/netlink.h"
#include "collectors/recording.h"
#include "collectors/recording_keys.h"
#include "core/text.h"

namespace tcpdiag {
namespace {

namespace fs = std::filesystem;
using namespace recording;

constexpr std::size_t kMaxAboutBytes = 1 << 16;
constexpr std::size_t kMaxTicksBytes = 1 << 26;              // ten a second for a week
constexpr std::size_t kMaxDumpBytes = std::size_t{1} << 30;  // a million sockets are 140 MB
constexpr std::size_t kMaxGatheredBytes = 1 << 26;           // links of a million descriptors are 25 MB

// The most that a file of a recording holds: of a file of the machine no more is ever read, but what was
// gathered from many readings and dumps may be longer.
std::size_t most_bytes(std::string_view file) {
  if (file.find("/sock_diag/") != std::string_view::npos) return kMaxDumpBytes;
  constexpr auto kGathered = std::to_array<std::string_view>({".list", ".links", ".protocols", "/kmsg"});
  const bool is_gathered = std::ranges::any_of(kGathered, [&](auto end) { return file.ends_with(end); });
  return is_gathered ? kMaxGatheredBytes : Source::kMaxFileBytes;
}

// A moment of the recording; empty when it is before its start or beyond any clock.
std::optional<TimePoint> to_tick(std::string_view milliseconds, TimePoint started) {
  constexpr std::int64_t kLongest = std::int64_t{100} * 366 * 24 * 3600 * 1000;
  const auto offset = to_number<std::int64_t>(milliseconds);
  if (!offset || *offset < 0 || *offset > kLongest) return std::nullopt;
  return started + std::chrono::milliseconds(*offset);
}

Error to_error(std::string_view code, std::string_view text) {
  for (const auto each : {Errc::not_read, Errc::missing, Errc::no_netns, Errc::denied, Errc::malformed,
                          Errc::too_large, Errc::timed_out, Errc::failed})
    if (to_string(each) == code) return {each, std::string(text)};
  return {Errc::failed, std::string(text)};
}

Error to_error(std::string_view text) {
  const auto code = next_line(text);
  return to_error(code, text);
}

using Links = std::map<std::string, Result<std::string>, std::less<>>;

Links parse_links(std::string_view text) {
  const auto until_blank = [](std::string_view& line) {
    const auto end = std::min(line.find(' '), line.size());
    const auto word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return word;
  };
  Links links;
  while (!text.empty()) {
    auto line = next_line(text);
    const auto name = unescaped(until_blank(line));
    Result<std::string> target = unescaped(line);
    if (line.starts_with(kLinkError)) {
      line.remove_prefix(kLinkError.size());
      const auto code = until_blank(line);
      target = tl::unexpected<Error>(to_error(code, unescaped(line)));
    }
    links.insert_or_assign(name, std::move(target));
  }
  return links;
}

std::vector<std::string> lines(std::string_view text) {
  std::vector<std::string> all;
  while (!text.empty()) all.emplace_back(next_line(text));
  return all;
}

class RecordedSource final : public Source {
 public:
  RecordedSource(const Recording& recording, std::string directory)
      : recording_(recording), name_(std::move(directory)) {}

  Result<std::string> read(const std::string& path) override { return recording_.latest(key(name_, path)); }
  Result<std::vector<std::string>> list(const std::string& path) override {
    return recording_.latest(list_key(name_, path)).map([](const std::string& text) { return lines(text); });
  }
  Result<std::string> link(const std::string& path) override {
    return one_of(link_texts_, links_key(name_, path), path);
  }
  Result<std::string> socket_protocol(const std::string& path) override {
    return one_of(protocol_texts_, protocols_key(name_, path), path);
  }
  Result<std::uint64_t> size(const std::string& path) override {
    return number<std::uint64_t>(size_key(name_, path));
  }
  Result<std::uint32_t> owner(const std::string& path) override {
    return number<std::uint32_t>(owner_key(name_, path));
  }
  Result<NetnsFile> netns_at(const std::string& path) override {
    const auto at = netns_key(name_, path);
    return recording_.latest(at).and_then([&](std::string_view text) -> Result<NetnsFile> {
      const auto inode = to_number<std::uint64_t>(next_word(text));
      const auto made_ns = to_number<std::int64_t>(next_word(text));
      if (inode && made_ns) return NetnsFile{.inode = *inode, .made_ns = *made_ns};
      return unexpected(Errc::malformed, at + ": not two numbers in the recording");
    });
  }
  Result<void> dump_sockets(const SocketDump& request, const OnMessage& on_message) override {
    const auto dump = recording_.latest(dump_key(name_, request));
    if (!dump) return tl::unexpected<Error>(dump.error());
    const auto progress = parse_dump(std::as_bytes(std::span(*dump)), 0, on_message);
    if (!progress) return tl::unexpected<Error>(progress.error());
    if (*progress != DumpProgress::done)
      return unexpected(Errc::malformed, "sock_diag dump: its end is not recorded");
    return {};
  }
  Result<KernelLogRecords> read_kernel_log() override;
  std::uint64_t generation() override { return 0; }  // a recording tells of it only by its errors
  std::uint64_t page_size() override { return recording_.about().page_size; }

 private:
  template <class Number>
  Result<Number> number(const std::string& key) const {
    return recording_.latest(key).and_then([&](const std::string& text) -> Result<Number> {
      if (const auto number = to_number<Number>(text)) return *number;
      return unexpected(Errc::malformed, key + ": not a number in the recording");
    });
  }

  // What the links of one directory say: they are read one after the other.
  struct OneFile {
    std::string file;
    Links links;
  };
  Result<std::string> one_of(OneFile& read, const std::string& key, const std::string& path) const;

  const Recording& recording_;
  std::string name_;
  TimePoint log_read_until_ = TimePoint::min();
  OneFile link_texts_, protocol_texts_;
};

Result<std::string> RecordedSource::one_of(OneFile& read, const std::string& key,
                                           const std::string& path) const {
  const auto* file = recording_.newest(key);
  if (!file) return unexpected(Errc::missing, key + ": not in the recording");
  if (*file != read.file) {
    const auto text = recording_.load(*file);
    if (!text) return tl::unexpected<Error>(text.error());
    read = {*file, parse_links(*text)};
  }
  const auto found = read.links.find(last_name(path));
  if (found == read.links.end())
    return unexpected(Errc::missing, path + ": not among " + key + " in the recording");
  return found->second;
}

// The log is a stream, not a state: a look shows what was recorded after the look before it.
Result<KernelLogRecords> RecordedSource::read_kernel_log() {
  const auto contents = recording_.since(kmsg_key(name_), log_read_until_);
  const auto overruns = recording_.since(overrun_key(name_), log_read_until_);
  const auto more = recording_.since(more_key(name_), log_read_until_);
  log_read_until_ = recording_.now();
  if (!contents) return tl::unexpected<Error>(contents.error());
  if (!overruns) return tl::unexpected<Error>(overruns.error());
  if (!more) return tl::unexpected<Error>(more.error());
  if (contents->empty()) {
    if (const auto readable = recording_.latest(kmsg_key(name_)); !readable)
      return tl::unexpected<Error>(readable.error());
  }
  KernelLogRecords log{.overrun = !overruns->empty(), .more = !more->empty()};
  for (std::string_view content : *contents) {
    while (!content.empty()) {
      const auto end = content.find('\0');
      log.records.emplace_back(content.substr(0, end));
      content.remove_prefix(end == std::string_view::npos ? content.size() : end + 1);
    }
  }
  return log;
}

Result<RecordingAbout> parse_about(std::string_view text) {
  RecordingAbout about;
  std::optional<std::int64_t> started, started_at;
  bool format_known = false;
  while (!text.empty()) {
    auto line = next_line(text);
    const auto name = next_word(line);
    const auto value = next_word(line);
    if (name == "format") format_known = value == kFormat;
    if (name == "kernel") about.kernel = value;
    if (name == "started_unix_ms") started_at = to_number<std::int64_t>(value);
    if (name == "page_size") about.page_size = to_number<std::uint64_t>(value).value_or(0);
    if (name == "started_monotonic_ns") started = to_number<std::int64_t>(value);
  }
  constexpr auto kLatest = std::int64_t{1} << 62;  // nanoseconds; leaves room for the ticks behind it
  const auto possible = [](std::optional<std::int64_t> number, std::int64_t most) {
    return number && *number >= 0 && *number <= most;
  };
  if (!format_known || !possible(started, kLatest) || !possible(started_at, kLatest / 1000000) ||
      about.page_size == 0)
    return unexpected(Errc::malformed, "about: not a recording of format " + std::string(kFormat));
  about.started_at = std::chrono::system_clock::time_point(std::chrono::milliseconds(*started_at));
  about.started = TimePoint(std::chrono::nanoseconds(*started));
  return about;
}

// A last line without a newline was cut off while it was written: it is not counted.
Result<std::vector<TimePoint>> parse_ticks(std::string_view text, TimePoint started) {
  std::vector<TimePoint> ticks;
  while (text.find('\n') != std::string_view::npos) {
    const auto line = next_line(text);
    const auto tick = to_tick(line, started);
    if (!tick)
      return unexpected(Errc::malformed, "ticks: line " + std::to_string(ticks.size() + 1) +
                                             " is not a number of milliseconds");
    if (!ticks.empty() && *tick < ticks.back()) return unexpected(Errc::malformed, "ticks: not in order");
    ticks.push_back(*tick);
  }
  if (ticks.empty()) return unexpected(Errc::malformed, "ticks: empty");
  return ticks;
}

}  // namespace

Result<Recording> Recording::open(const fs::path& directory) {
  const auto within = [&](Error error) {
    if (!error.detail.starts_with(directory.string())) error.detail = directory.string() + "/" + error.detail;
    return tl::unexpected<Error>(std::move(error));
  };
  auto tree = Tree::open(directory);
  if (!tree) return tl::unexpected<Error>(tree.error());
  Recording recording;
  recording.tree_ = std::make_shared<const Tree>(std::move(*tree));
  auto about = recording.tree_->read("about", kMaxAboutBytes).and_then([](const std::string& text) {
    return parse_about(text);
  });
  if (!about) return within(about.error());
  recording.about_ = std::move(*about);
  auto ticks = recording.tree_->read("ticks", kMaxTicksBytes).and_then([&](const std::string& text) {
    return parse_ticks(text, recording.about_.started);
  });
  if (!ticks) return within(ticks.error());
  recording.ticks_ = std::move(*ticks);

  std::error_code failed;
  std::size_t count = 0;
  for (fs::recursive_directory_iterator entry(directory, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    if (++count > kMostRecordedFiles)
      return unexpected(Errc::too_large,
                        directory.string() + ": more than " + std::to_string(kMostRecordedFiles) + " files");
    std::error_code gone;
    if (!fs::is_regular_file(entry->symlink_status(gone))) continue;
    const auto relative = entry->path().lexically_relative(directory);
    const auto tick = to_tick(relative.begin()->string(), recording.about_.started);
    if (!tick) continue;
    const auto key = relative.lexically_relative(*relative.begin()).string();
    if (key.find('/') == std::string::npos) continue;  // in no namespace's directory
    recording.files_[key].emplace(*tick, relative.string());
  }
  if (failed) return tl::unexpected<Error>(system_error(failed.value(), directory.string()));
  recording.now_ = recording.ticks_.back();
  return recording;
}

std::vector<std::string> Recording::namespaces() const {
  std::vector<std::string> names = {"host"};
  for (const auto& [key, versions] : files_) {
    auto name = key.substr(0, key.find('/'));  // keys are in order, so those of one name stand together
    if (name.starts_with(kFound)) continue;
    if (name != names.back() && name != names.front()) names.push_back(std::move(name));
  }
  return names;
}

bool Recording::has_found(std::uint64_t generation) const {
  const auto below = directory_of_found(generation) + "/";
  const auto first = files_.lower_bound(below);
  return first != files_.end() && first->first.starts_with(below);
}

std::unique_ptr<Source> Recording::source(std::string name) const {
  return std::make_unique<RecordedSource>(*this, directory_of(std::move(name)));
}

std::unique_ptr<Source> Recording::source_of_found(std::uint64_t generation) const {
  return std::make_unique<RecordedSource>(*this, directory_of_found(generation));
}

const std::string* Recording::newest(const std::string& key) const {
  const auto versions = files_.find(key);
  if (versions == files_.end()) return nullptr;
  const auto after = versions->second.upper_bound(now_);
  return after == versions->second.begin() ? nullptr : &std::prev(after)->second;
}

Result<std::string> Recording::load(const std::string& file) const {
  return tree_->read(file, most_bytes(file));
}

Result<std::string> Recording::latest(const std::string& key) const {
  const auto newest = [&](const std::string& of) -> std::optional<std::pair<TimePoint, std::string>> {
    const auto versions = files_.find(of);
    if (versions == files_.end()) return std::nullopt;
    const auto after = versions->second.upper_bound(now_);
    if (after == versions->second.begin()) return std::nullopt;
    return *std::prev(after);
  };
  const auto value = newest(key);
  const auto error = newest(error_key(key));
  if (!value && !error) return unexpected(Errc::missing, key + ": not in the recording");
  if (value && (!error || error->first < value->first)) return load(value->second);
  const auto text = load(error->second);
  return tl::unexpected<Error>(text ? to_error(*text) : text.error());
}

Result<std::vector<std::string>> Recording::since(const std::string& key, TimePoint after) const {
  std::vector<std::string> contents;
  const auto versions = files_.find(key);
  if (versions == files_.end()) return contents;
  const auto end = versions->second.upper_bound(now_);
  for (auto version = versions->second.upper_bound(after);
       version != versions->second.end() && version != end; ++version) {
    auto content = load(version->second);
    if (!content) return tl::unexpected<Error>(content.error());
    contents.push_back(std::move(*content));
  }
  return contents;
}

}  // namespace tcpdiag
