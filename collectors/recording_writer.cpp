// SPDX-License-Identifier: Apache-2.0
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <unistd.h>

#include "collectors/host_config.h"
#include "collectors/recording.h"
#include "collectors/recording_keys.h"

namespace tcpdiag {
namespace {

namespace fs = std::filesystem;
using namespace recording;

// One message as it would stand in a datagram; without sequence and port, so that equal dumps are equal
// files.
void append_message(std::string& dump, std::uint16_t type, std::span<const std::byte> payload) {
  const nlmsghdr header{.nlmsg_len = static_cast<std::uint32_t>(sizeof(nlmsghdr) + payload.size()),
                        .nlmsg_type = type,
                        .nlmsg_flags = NLM_F_MULTI};
  dump.append(reinterpret_cast<const char*>(&header), sizeof header);
  dump.append(reinterpret_cast<const char*>(payload.data()), payload.size());
  dump.append(NLMSG_ALIGN(payload.size()) - payload.size(), '\0');
}

std::string joined(const std::vector<std::string>& names) {
  std::string lines;
  for (const auto& name : names) lines += name + "\n";
  return lines;
}

class RecordingSource final : public Source {
 public:
  RecordingSource(RecordingWriter& writer, std::unique_ptr<Source> live, std::string directory)
      : writer_(writer), live_(std::move(live)), name_(std::move(directory)) {}

  Result<std::string> read(const std::string& path) override {
    return recorded(key(name_, path), live_->read(path),
                    [&](const auto& content) { return shareable(path, content); });
  }
  Result<std::vector<std::string>> list(const std::string& path) override {
    return recorded(list_key(name_, path), live_->list(path), joined);
  }
  Result<std::string> link(const std::string& path) override {
    auto target = live_->link(path);
    if (!writer_.stopping()) writer_.put_link(links_key(name_, path), last_name(path), target);
    return target;
  }
  Result<std::string> socket_protocol(const std::string& path) override {
    auto protocol = live_->socket_protocol(path);
    if (!writer_.stopping()) writer_.put_link(protocols_key(name_, path), last_name(path), protocol);
    return protocol;
  }
  Result<std::uint64_t> size(const std::string& path) override {
    return recorded(size_key(name_, path), live_->size(path), [](auto size) { return std::to_string(size); });
  }
  Result<std::uint32_t> owner(const std::string& path) override {
    return recorded(owner_key(name_, path), live_->owner(path),
                    [](auto user) { return std::to_string(user); });
  }
  Result<NetnsFile> netns_at(const std::string& path) override {
    return recorded(netns_key(name_, path), live_->netns_at(path), [](const NetnsFile& file) {
      return std::to_string(file.inode) + " " + std::to_string(file.made_ns);
    });
  }
  Result<void> dump_sockets(const SocketDump& request, const OnMessage& on_message) override {
    std::string dump;
    const auto outcome = live_->dump_sockets(request, [&](std::span<const std::byte> payload) {
      append_message(dump, TCPDIAG_GETSOCK, payload);
      on_message(payload);
    });
    const std::int32_t status = 0;
    append_message(dump, NLMSG_DONE, std::as_bytes(std::span(&status, 1)));
    return recorded(dump_key(name_, request), outcome, [&] { return dump; });
  }
  Result<KernelLogRecords> read_kernel_log() override {
    auto log = live_->read_kernel_log();
    if (writer_.stopping()) return log;
    if (!log) {
      log_read_ = false;
      writer_.put(error_key(kmsg_key(name_)), to_text(log.error()));
      return log;
    }
    std::string records;
    for (const auto& record : log->records) records.append(record).push_back('\0');
    // Without new records nothing is written, except to say that the log can be read (again).
    if (!std::exchange(log_read_, true) || !records.empty()) writer_.append(kmsg_key(name_), records);
    if (log->overrun) writer_.append(overrun_key(name_), "");
    if (log->more) writer_.append(more_key(name_), "");
    return log;
  }
  std::uint64_t generation() override { return live_->generation(); }
  std::uint64_t page_size() override { return live_->page_size(); }

 private:
  static std::string to_text(const Error& error) {
    return std::string(to_string(error.code)) + "\n" + error.detail;
  }

  // Writes the value or the error down. Whichever it is, the other one's file no longer speaks.
  template <class T, class ToText>
  Result<T> recorded(const std::string& at, Result<T> result, ToText to_content) {
    if (writer_.stopping()) return result;
    if (!result)
      writer_.put(error_key(at), to_text(result.error()));
    else if constexpr (std::is_void_v<T>)
      writer_.put(at, to_content());
    else
      writer_.put(at, to_content(*result));
    return result;
  }

  RecordingWriter& writer_;
  std::unique_ptr<Source> live_;
  std::string name_;
  bool log_read_ = false;
};

std::string to_text(const RecordingAbout& about) {
  using std::chrono::duration_cast;
  const auto unix_ms = duration_cast<std::chrono::milliseconds>(about.started_at.time_since_epoch());
  const auto monotonic = duration_cast<std::chrono::nanoseconds>(about.started.time_since_epoch());
  return std::string("format ") + kFormat + "\nkernel " + about.kernel + "\npage_size " +
         std::to_string(about.page_size) + "\nstarted_unix_ms " + std::to_string(unix_ms.count()) +
         "\nstarted_monotonic_ns " + std::to_string(monotonic.count()) + "\n";
}

// The key of a value for its error's key, and the other way round: only the newer of the two speaks.
std::string counterpart(const std::string& key) {
  constexpr std::string_view kSuffix = ".error";
  return key.ends_with(kSuffix) ? key.substr(0, key.size() - kSuffix.size()) : error_key(key);
}

// As parse_links() of the reader understands it.
std::string to_line(const std::string& name, const Result<std::string>& target) {
  auto line = escaped(name, Blanks::escaped) + " ";
  if (target) {
    line += escaped(*target, Blanks::kept);
  } else {
    line.append(kLinkError).append(to_string(target.error().code)).append(" ");
    line += escaped(target.error().detail, Blanks::kept);
  }
  return line + "\n";
}

}  // namespace

Result<std::unique_ptr<RecordingWriter>> RecordingWriter::create(fs::path directory, RecordingAbout about,
                                                                 RecordingOptions options) {
  auto tree = Tree::create(std::move(directory), options.owner.value_or(::geteuid()));
  if (!tree) return tl::unexpected<Error>(tree.error());
  if (auto written = tree->write("about", to_text(about), Tree::How::whole); !written)
    return tl::unexpected<Error>(written.error());
  return std::unique_ptr<RecordingWriter>(
      new RecordingWriter(std::move(*tree), std::move(about), std::move(options)));
}

Result<void> RecordingWriter::begin_tick(TimePoint now) {
  (void)end_tick();
  now_ = now;
  forget_what_is_gone();
  tick_ = std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(now - about_.started).count());
  if (outcome_) outcome_ = tree_.write("ticks", tick_ + "\n", Tree::How::append);
  return outcome_;
}

Result<void> RecordingWriter::end_tick() {
  for (const auto& [key, links] : std::exchange(links_, {})) {
    std::string content;
    for (const auto& [name, target] : links) content += to_line(name, target);
    put(key, std::move(content));
  }
  return outcome_;
}

std::unique_ptr<Source> RecordingWriter::wrap(std::unique_ptr<Source> live, std::string netns) {
  return std::make_unique<RecordingSource>(*this, std::move(live), directory_of(std::move(netns)));
}

std::unique_ptr<Source> RecordingWriter::wrap_found(std::unique_ptr<Source> live, std::uint64_t generation) {
  return std::make_unique<RecordingSource>(*this, std::move(live), directory_of_found(generation));
}

void RecordingWriter::put(const std::string& key, std::string content) {
  const auto last = last_.find(key);
  if (last != last_.end()) last->second.read_at = now_;
  if (last != last_.end() && last->second.content == content) return;
  write(key, content, Tree::How::whole);
  last_.insert_or_assign(key, Last{.content = std::move(content), .read_at = now_});
}

void RecordingWriter::put_link(const std::string& key, const std::string& name, Result<std::string> target) {
  links_[key].insert_or_assign(name, std::move(target));
}

// Processes come and go for as long as a recording lasts; what they were must not be remembered as long.
void RecordingWriter::forget_what_is_gone() {
  constexpr auto kKept = std::chrono::minutes(10);  // longer than any collector's period
  if (now_ - swept_ < kKept / 10) return;
  swept_ = now_;
  std::erase_if(last_, [&](const auto& entry) { return now_ - entry.second.read_at > kKept; });
}

void RecordingWriter::append(const std::string& key, const std::string& content) {
  write(key, content, Tree::How::append);
}

void RecordingWriter::write(const std::string& key, const std::string& content, Tree::How how) {
  if (!outcome_) return;
  last_.erase(counterpart(key));
  const auto path = tick_ + "/" + key;
  entries_ += tree_.missing(path);
  if (entries_ > options_.most_entries) {
    outcome_ = unexpected(Errc::too_large, tree_.path() + ": more than " +
                                               std::to_string(options_.most_entries) + " files: stopped");
    return;
  }
  outcome_ = tree_.write(path, content, how);
  if (!outcome_) tree_.remove(path);  // half a file would speak for the whole
}

}  // namespace tcpdiag
