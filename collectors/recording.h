// SPDX-License-Identifier: Apache-2.0
// A recording is a directory (docs/adr/0005):
//   about                    "key value" lines: format, kernel, page_size, started_unix_ms,
//                            started_monotonic_ns
//   ticks                    one line for each tick: milliseconds since the start
//   TICK/NETNS/proc/net/...  what was read at that tick, as files, where it differs from the read before;
//                            X.list is a directory's names, X.size a size, X.owner a user, X.netns the inode
//                            of a namespace and when it was made, X.links one line for each link that was
//                            read in a directory at that tick, "name target", X.protocols the same for the
//                            protocols of sockets behind such links, and X.error an Error: its code, a
//                            newline, its detail
//   TICK/@GENERATION/...     the same of a namespace that was found, by its generation in the list of them
//   TICK/NETNS/sock_diag/... a dump as netlink messages
//   TICK/NETNS/kmsg          new kernel log records, each followed by a zero byte; written without any when
//                            the log could be read for the first time (again)
//   TICK/NETNS/kmsg.overrun  some were lost
//   TICK/NETNS/kmsg.more     the look ended at its bound, the next one goes on
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collectors/source.h"
#include "collectors/tree.h"

namespace tcpdiag {

/// What a recording says about itself.
struct RecordingAbout {
  std::string kernel;  ///< `uname -r`
  std::chrono::system_clock::time_point started_at;
  TimePoint started;  ///< the same moment on the recorded machine's monotonic clock
  std::uint64_t page_size = 0;
};

/// A recording of more files and directories is neither written nor read.
inline constexpr std::size_t kMostRecordedFiles = std::size_t{1} << 20;

/// How a recording shall be written.
struct RecordingOptions {
  std::size_t most_entries = kMostRecordedFiles;
  std::optional<uid_t> owner;  ///< whom the directory must belong to; empty: the user of this process
  /// Once true, nothing is written down any more: a read that was given up is no reading. May be empty.
  std::function<bool()> stopping;
};

/// Writes a recording.
class RecordingWriter {
 public:
  /// Makes the directory, which must not exist, or be empty and one's own (Tree::create). It is for its owner
  /// alone: the kernel's log and what others have open are in it. Errors: it cannot be made or written, or is
  /// no such one.
  static Result<std::unique_ptr<RecordingWriter>> create(std::filesystem::path directory,
                                                         RecordingAbout about, RecordingOptions options = {});

  /// What is read from now on belongs to the tick at `now`; the tick before is ended.
  Result<void> begin_tick(TimePoint now);
  /// Writes what is only known when everything was read. Must follow the last tick.
  Result<void> end_tick();

  /// A source that reads from `live` and writes down what it read. `name` is the namespace's in the
  /// recording.
  std::unique_ptr<Source> wrap(std::unique_ptr<Source> live, std::string netns);
  /// The same of a namespace that was found: the recorded list of namespaces says by what name.
  std::unique_ptr<Source> wrap_found(std::unique_ptr<Source> live, std::uint64_t generation);

  /// The first failure to write, for example a full disk or too many files; what was written before is a
  /// whole recording.
  [[nodiscard]] const Result<void>& outcome() const { return outcome_; }

  /// Writes `content` down as `key` unless it is what was written for that key last.
  void put(const std::string& key, std::string content);
  /// Writes, at the end of the tick, what the link `name` says, or the protocol behind it, into the file of
  /// its directory's links or protocols.
  void put_link(const std::string& key, const std::string& name, Result<std::string> target);
  /// Adds `content` to what was written for `key` at this tick.
  void append(const std::string& key, const std::string& content);
  [[nodiscard]] bool stopping() const { return options_.stopping && options_.stopping(); }

 private:
  struct Last {
    std::string content;
    TimePoint read_at;
  };

  void forget_what_is_gone();
  void write(const std::string& key, const std::string& content, Tree::How how);

  RecordingWriter(Tree tree, RecordingAbout about, RecordingOptions options)
      : tree_(std::move(tree)), about_(std::move(about)), options_(std::move(options)) {}

  Tree tree_;
  RecordingAbout about_;
  RecordingOptions options_;
  std::string tick_;
  TimePoint now_, swept_;
  std::size_t entries_ = 2;           // files and directories so far; about and ticks are there
  std::map<std::string, Last> last_;  // what was written last for a key
  std::map<std::string, std::map<std::string, Result<std::string>>> links_;  // of this tick, by key and name
  Result<void> outcome_;
};

/// Reads a recording. It may come from elsewhere: no link in it is followed, and nothing but files is opened.
class Recording {
 public:
  /// Errors: not a recording, or of a format this version does not know (malformed), not readable.
  static Result<Recording> open(const std::filesystem::path& directory);

  [[nodiscard]] const RecordingAbout& about() const { return about_; }
  /// The moments at which something was read, in order.
  [[nodiscard]] const std::vector<TimePoint>& ticks() const { return ticks_; }
  /// The namespaces in it that were named when it was made, "host" first.
  [[nodiscard]] std::vector<std::string> namespaces() const;
  /// Whether the one of that generation is in it that was found on the machine.
  [[nodiscard]] bool has_found(std::uint64_t generation) const;
  /// Lets the sources see what had been read up to `now`.
  void seek(TimePoint now) { now_ = now; }
  /// A source that reads what the recording has for that namespace. The recording must outlive it.
  [[nodiscard]] std::unique_ptr<Source> source(std::string name) const;
  [[nodiscard]] std::unique_ptr<Source> source_of_found(std::uint64_t generation) const;

  /// The file, below the recording, of the newest content of `key` up to the present tick; nullptr when there
  /// is none.
  [[nodiscard]] const std::string* newest(const std::string& key) const;
  /// The content of such a file.
  [[nodiscard]] Result<std::string> load(const std::string& file) const;
  /// The newest content of `key` up to the present tick. Errors: missing, when it was never read up to then.
  [[nodiscard]] Result<std::string> latest(const std::string& key) const;
  /// The contents of `key` of all ticks after `after` up to the present one.
  [[nodiscard]] Result<std::vector<std::string>> since(const std::string& key, TimePoint after) const;
  [[nodiscard]] TimePoint now() const { return now_; }

 private:
  RecordingAbout about_;
  std::vector<TimePoint> ticks_;
  std::shared_ptr<const Tree> tree_;
  std::map<std::string, std::map<TimePoint, std::string>> files_;  // by key, then tick
  TimePoint now_;
};

}  // namespace tcpdiag
