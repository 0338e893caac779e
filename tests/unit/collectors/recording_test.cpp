// SPDX-License-Identifier: Apache-2.0
#include "collectors/recording.h"

#include <sys/stat.h>
#include <unistd.h>

#include "collectors/kernel_log.h"
#include "tests/catch.h"
#include "tests/diag_message.h"
#include "tests/fake_source.h"
#include "tests/temporary_directory.h"

using namespace tcpdiag;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

const TimePoint kStart = TimePoint(5000s);
const auto kStartedAt = std::chrono::system_clock::time_point(1769860800123ms);
constexpr SocketDump kListeners{.states = state_bit(TcpState::listen), .socket_memory = true};

// A recording in the making and the kernel that is recorded.
struct Recorder {
  explicit Recorder(const std::string& at, const std::string& name = "host", RecordingOptions options = {}) {
    auto created = RecordingWriter::create(
        at, {.kernel = "6.1.0-13-amd64", .started_at = kStartedAt, .started = kStart, .page_size = 16384},
        std::move(options));
    REQUIRE(created);
    writer = std::move(*created);
    auto fake = std::make_unique<FakeSource>();
    kernel = fake.get();
    source = writer->wrap(std::move(fake), name);
  }
  void tick(std::chrono::milliseconds since_start) { REQUIRE(writer->begin_tick(kStart + since_start)); }

  std::unique_ptr<RecordingWriter> writer;
  FakeSource* kernel = nullptr;
  std::unique_ptr<Source> source;
};

std::vector<std::string> dumped(Source& source, Result<void>& outcome) {
  std::vector<std::string> payloads;
  outcome = source.dump_sockets(kListeners, [&](std::span<const std::byte> payload) {
    payloads.emplace_back(reinterpret_cast<const char*>(payload.data()), payload.size());
  });
  return payloads;
}

std::size_t files_in(const std::string& directory) {
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) count += entry.is_regular_file();
  return count;
}

// A recording of two ticks, written by hand.
void write_by_hand(const TemporaryDirectory& directory) {
  (void)directory.write("about",
                        "format 1\nkernel 6.1\npage_size 4096\nstarted_unix_ms 1769860800123\n"
                        "started_monotonic_ns 1000000000\n");
  (void)directory.write("ticks", "0\n100\n");
  fs::create_directories(directory.path("0/host/proc"));
  (void)directory.write("0/host/proc/uptime", "1 1\n");
}

Error refusal(const TemporaryDirectory& directory) {
  const auto recording = Recording::open(directory.path(""));
  REQUIRE_FALSE(recording);
  return recording.error();
}

}  // namespace

TEST_CASE("what was read while recording is read again while replaying") {
  TemporaryDirectory directory;
  {
    Recorder recorder(directory.path("rec"));
    auto& kernel = *recorder.kernel;
    kernel.files["/proc/net/netstat"] = "TcpExt: TW\nTcpExt: 1\n";
    kernel.files["/proc/empty"] = "";
    kernel.directories["/proc"] = std::vector<std::string>{"1", "self"};
    kernel.directories["/proc/none"] = std::vector<std::string>{};
    kernel.links["/proc/1/fd/3"] = "socket:[4711]";
    kernel.protocols["/proc/1/fd/3"] = "TCPv6";
    kernel.sizes["/proc/1/fd"] = 12;
    kernel.deny("/proc/2");
    kernel.messages = {to_message({.state = TcpState::listen, .source = address("::"), .v6_only = false}),
                       "odd"};
    recorder.tick(0ms);
    CHECK(recorder.source->read("/proc/net/netstat") == "TcpExt: TW\nTcpExt: 1\n");
    CHECK(recorder.source->read("/proc/empty") == "");
    CHECK(recorder.source->list("/proc")->size() == 2);
    CHECK(recorder.source->list("/proc/none")->empty());
    CHECK(recorder.source->link("/proc/1/fd/3") == "socket:[4711]");
    CHECK(recorder.source->socket_protocol("/proc/1/fd/3") == "TCPv6");
    CHECK(recorder.source->socket_protocol("/proc/2").error().code == Errc::denied);
    CHECK(recorder.source->size("/proc/1/fd") == 12);
    recorder.kernel->owners["/sys/fs/cgroup/x"] = 1000U;
    CHECK(recorder.source->owner("/sys/fs/cgroup/x") == 1000U);
    recorder.kernel->namespaces["/run/netns/web"] = NetnsFile{.inode = 4026532281, .made_ns = 17};
    CHECK(recorder.source->netns_at("/run/netns/web")->inode == 4026532281);
    CHECK(recorder.source->netns_at("/proc/2").error().code == Errc::denied);
    CHECK(recorder.source->list("/proc/2").error().code == Errc::denied);
    Result<void> outcome;
    CHECK(dumped(*recorder.source, outcome) == kernel.messages);
    CHECK(outcome);
    CHECK(recorder.writer->end_tick());
    CHECK(recorder.writer->outcome());
  }
  const auto recording = Recording::open(directory.path("rec"));
  REQUIRE(recording);
  CHECK(recording->about().kernel == "6.1.0-13-amd64");
  CHECK(recording->about().started_at == kStartedAt);
  CHECK(recording->about().started == kStart);
  CHECK(recording->ticks() == std::vector{kStart});
  CHECK(recording->namespaces() == std::vector<std::string>{"host"});
  const auto source = recording->source("host");
  CHECK(source->page_size() == 16384);
  CHECK(source->read("/proc/net/netstat") == "TcpExt: TW\nTcpExt: 1\n");
  CHECK(source->read("/proc/empty") == "");
  CHECK(source->list("/proc") == std::vector<std::string>{"1", "self"});
  CHECK(source->list("/proc/none") == std::vector<std::string>{});
  CHECK(source->link("/proc/1/fd/3") == "socket:[4711]");
  CHECK(source->socket_protocol("/proc/1/fd/3") == "TCPv6");
  CHECK(source->socket_protocol("/proc/2") == unexpected(Errc::denied, "/proc/2: Permission denied"));
  CHECK(source->socket_protocol("/proc/1/fd/4").error().code == Errc::missing);
  CHECK(source->size("/proc/1/fd") == 12);
  CHECK(source->owner("/sys/fs/cgroup/x") == 1000U);
  CHECK(source->netns_at("/run/netns/web") == NetnsFile{.inode = 4026532281, .made_ns = 17});
  CHECK(source->netns_at("/proc/2").error().code == Errc::denied);
  CHECK(source->list("/proc/2").error() == Error{Errc::denied, "/proc/2: Permission denied"});
  Result<void> outcome;
  const auto payloads = dumped(*source, outcome);
  CHECK(outcome);
  REQUIRE(payloads.size() == 2);
  CHECK(payloads[0] == to_message({.state = TcpState::listen, .source = address("::"), .v6_only = false}));
  CHECK(payloads[1] == "odd");
  CHECK(source->read("/proc/never/asked").error().code == Errc::missing);
  CHECK(recording->source("other")->read("/proc/empty").error().code == Errc::missing);
}

TEST_CASE("what did not change is not written again, and a replay sees the tick that it stands at") {
  TemporaryDirectory directory;
  {
    Recorder recorder(directory.path("rec"));
    for (const auto& [at, content] : {std::pair{0ms, "a"}, {100ms, "a"}, {200ms, "b"}, {300ms, "a"}}) {
      recorder.tick(at);
      recorder.kernel->files["/proc/x"] = content;
      CHECK(recorder.source->read("/proc/x") == content);
    }
  }
  CHECK_FALSE(fs::exists(directory.path("rec/100")));
  CHECK(files_in(directory.path("rec")) == 2 + 3);
  auto recording = Recording::open(directory.path("rec"));
  REQUIRE(recording);
  REQUIRE(recording->ticks().size() == 4);
  const auto source = recording->source("host");
  CHECK(source->read("/proc/x") == "a");  // it opens at its end
  recording->seek(kStart + 299ms);
  CHECK(source->read("/proc/x") == "b");
  recording->seek(kStart + 150ms);
  CHECK(source->read("/proc/x") == "a");
  recording->seek(kStart - 1ms);
  CHECK(source->read("/proc/x").error().code == Errc::missing);
}

TEST_CASE("an error is replayed while it lasted, and each time it came") {
  TemporaryDirectory directory;
  const Result<std::string> denied = unexpected(Errc::denied, "/proc/x: Permission denied");
  const std::vector<Result<std::string>> reads = {"a", denied, denied, "a", denied, "b"};
  {
    Recorder recorder(directory.path("rec"));
    for (std::size_t tick = 0; tick < reads.size(); ++tick) {
      recorder.tick(tick * 100ms);
      recorder.kernel->files.insert_or_assign("/proc/x", reads[tick]);
      CHECK(recorder.source->read("/proc/x") == reads[tick]);
    }
  }
  auto recording = Recording::open(directory.path("rec"));
  REQUIRE(recording);
  const auto source = recording->source("host");
  for (std::size_t tick = 0; tick < reads.size(); ++tick) {
    recording->seek(kStart + tick * 100ms);
    CHECK(source->read("/proc/x") == reads[tick]);
  }
}

TEST_CASE("the links of a directory that are read within a tick are one file, whatever they say") {
  TemporaryDirectory directory;
  const std::vector<std::pair<std::string, Result<std::string>>> links = {
      {"/proc/1/fd/0", "/tmp/with blanks (deleted)"},
      {"/proc/1/fd/1", "/tmp/two\nlines\\n"},
      {"/proc/1/fd/2", "\\error denied not one"},
      {"/proc/1/fd/3", ""},
      {"/proc/1/fd/4", unexpected(Errc::denied, "/proc/1/fd/4: Permission\n denied")},
      {"/proc/1/fd/a b\nc", "socket:[1]"},
      {"/top", "/bottom"},
  };
  {
    Recorder recorder(directory.path("rec"));
    for (const auto& [path, target] : links) recorder.kernel->links.insert_or_assign(path, target);
    for (const auto at : {0ms, 100ms}) {
      recorder.tick(at);
      for (const auto& [path, target] : links) CHECK(recorder.source->link(path) == target);
    }
    recorder.tick(200ms);
    recorder.kernel->links["/proc/1/fd/3"] = "socket:[2]";
    CHECK(recorder.source->link("/proc/1/fd/3") == "socket:[2]");
    REQUIRE(recorder.writer->end_tick());
  }
  CHECK(files_in(directory.path("rec")) == 2 + 3);
  CHECK(fs::is_regular_file(directory.path("rec/0/host/proc/1/fd.links")));
  auto recording = Recording::open(directory.path("rec"));
  REQUIRE(recording);
  const auto source = recording->source("host");
  CHECK(source->link("/proc/1/fd/3") == "socket:[2]");
  CHECK(source->link("/proc/1/fd/0").error().code == Errc::missing);  // not looked at in the newest look
  recording->seek(kStart + 100ms);
  for (const auto& [path, target] : links) CHECK(source->link(path) == target);
  CHECK(source->link("/proc/2/fd/0").error().code == Errc::missing);
  recording->seek(kStart - 1ms);
  CHECK(source->link("/top").error().code == Errc::missing);
}

TEST_CASE("a garbled file of links is links that say something else or are missing") {
  TemporaryDirectory directory;
  write_by_hand(directory);
  fs::create_directories(directory.path("0/host/proc/1"));
  const std::string whole = "1 socket:[7]\n2 \\error denied /x: no\n3 a\\\\b\\nc\n";
  for (std::size_t length = 0; length <= whole.size(); ++length) {
    (void)directory.write("0/host/proc/1/fd.links", whole.substr(0, length));
    const auto recording = Recording::open(directory.path(""));
    REQUIRE(recording);
    const auto source = recording->source("host");
    for (const auto* name : {"1", "2", "3", "4", ""}) (void)source->link(std::string("/proc/1/fd/") + name);
    CHECK(source->link("/proc/1/fd/4").error().code == Errc::missing);
  }
  (void)directory.write("0/host/proc/1/fd.links", "\n \n1\n2 \\error\n3 \\error odd\n4 \\");
  const auto recording = Recording::open(directory.path(""));
  REQUIRE(recording);
  const auto source = recording->source("host");
  CHECK(source->link("/proc/1/fd/1") == "");
  CHECK(source->link("/proc/1/fd/3").error().code == Errc::failed);
  CHECK(source->link("/proc/1/fd/4") == "\\");
}

TEST_CASE("a recording is stopped before it has more files than can be read") {
  TemporaryDirectory directory;
  constexpr std::size_t kMost = 2 + 5;  // about, ticks; 0, 0/host, 0/host/proc and two files in it
  Recorder recorder(directory.path("rec"), "host", {.most_entries = kMost});
  recorder.tick(0ms);
  for (const auto* path : {"/proc/x", "/proc/y"}) {
    recorder.kernel->files[path] = "a";
    CHECK(recorder.source->read(path) == "a");
    CHECK(recorder.writer->outcome());
  }
  recorder.tick(100ms);
  CHECK(recorder.source->read("/proc/x") == "a");
  CHECK(recorder.writer->outcome());
  recorder.kernel->files["/proc/y"] = "b";
  CHECK(recorder.source->read("/proc/y") == "b");
  REQUIRE_FALSE(recorder.writer->outcome());
  CHECK(recorder.writer->outcome().error() ==
        Error{Errc::too_large, directory.path("rec") + ": more than 7 files: stopped"});
  CHECK_FALSE(recorder.writer->begin_tick(kStart + 200ms));
  CHECK_FALSE(fs::exists(directory.path("rec/100")));
  const auto recording = Recording::open(directory.path("rec"));
  REQUIRE(recording);
  CHECK(recording->source("host")->read("/proc/y") == "a");
}

TEST_CASE("what is read while the recording is being stopped is not written down") {
  TemporaryDirectory directory;
  bool stopping = false;
  {
    Recorder recorder(directory.path("rec"), "host", {.stopping = [&] { return stopping; }});
    auto& kernel = *recorder.kernel;
    kernel.files["/proc/x"] = "a";
    kernel.links["/proc/1/fd/0"] = "a";
    kernel.messages = {"a socket"};
    Result<void> outcome;
    const auto read_all = [&] {
      (void)recorder.source->read("/proc/x");
      (void)recorder.source->link("/proc/1/fd/0");
      (void)recorder.source->read_kernel_log();
      dumped(*recorder.source, outcome);
    };
    recorder.tick(0ms);
    read_all();
    recorder.tick(100ms);
    stopping = true;
    kernel.files["/proc/x"] = "b";
    kernel.links["/proc/1/fd/0"] = "b";
    kernel.dump_outcome = unexpected(Errc::failed, "sock_diag: stopped");
    kernel.kernel_log = unexpected(Errc::failed, "stopped");
    read_all();
    CHECK_FALSE(outcome);
    CHECK(recorder.writer->end_tick());
  }
  const auto recording = Recording::open(directory.path("rec"));
  REQUIRE(recording);
  const auto source = recording->source("host");
  CHECK(source->read("/proc/x") == "a");
  CHECK(source->link("/proc/1/fd/0") == "a");
  CHECK(source->read_kernel_log());
  Result<void> outcome;
  CHECK(dumped(*source, outcome).size() == 1);
  CHECK(outcome);
}

TEST_CASE("what was not read for long is not remembered, and written again when it is") {
  TemporaryDirectory directory;
  Recorder recorder(directory.path("rec"));
  recorder.kernel->files["/proc/1/stat"] = "a";
  recorder.kernel->files["/proc/stat"] = "a";
  for (auto at = 0min; at <= 15min; at += 1min) {
    recorder.tick(at);
    (void)recorder.source->read("/proc/stat");
    if (at == 0min || at == 15min) (void)recorder.source->read("/proc/1/stat");
  }
  CHECK(files_in(directory.path("rec")) == 2 + 3);
  CHECK_FALSE(fs::exists(directory.path("rec/900000/host/proc/stat")));
  CHECK(fs::exists(directory.path("rec/900000/host/proc/1/stat")));
}

TEST_CASE("a dump that failed is replayed as failed") {
  TemporaryDirectory directory;
  {
    Recorder recorder(directory.path("rec"));
    recorder.tick(0ms);
    recorder.kernel->messages = {"a socket"};
    recorder.kernel->dump_outcome = unexpected(Errc::timed_out, "sock_diag: too slow");
    Result<void> outcome;
    dumped(*recorder.source, outcome);
    CHECK_FALSE(outcome);
  }
  const auto recording = Recording::open(directory.path("rec"));
  REQUIRE(recording);
  Result<void> outcome;
  CHECK(dumped(*recording->source("host"), outcome).empty());
  CHECK(outcome.error() == Error{Errc::timed_out, "sock_diag: too slow"});
}

TEST_CASE("the kernel log is a stream: each look brings what came since the look before") {
  TemporaryDirectory directory;
  using Records = std::vector<std::string>;
  {
    Recorder recorder(directory.path("rec"));
    auto& log = recorder.kernel->kernel_log;
    const auto look = [&](std::chrono::milliseconds at, Result<KernelLogRecords> brings) {
      recorder.tick(at);
      log = std::move(brings);
      (void)recorder.source->read_kernel_log();
    };
    look(0ms, KernelLogRecords{.records = {"6,1,1,-;one\n", "6,2,2,-;two\n KEY=value\n"}});
    look(100ms, KernelLogRecords{});
    look(200ms, KernelLogRecords{.records = {"6,5,3,-;five\n"}, .overrun = true});
    look(300ms, unexpected(Errc::denied, "/dev/kmsg: Operation not permitted"));
    look(400ms, KernelLogRecords{});
    look(500ms, unexpected(Errc::denied, "/dev/kmsg: Operation not permitted"));
    look(600ms, KernelLogRecords{.records = {"6,6,4,-;six\n"}});
    look(600ms, KernelLogRecords{.records = {"6,7,4,-;seven, within the same tick\n"}});
  }
  auto recording = Recording::open(directory.path("rec"));
  REQUIRE(recording);
  const auto source = recording->source("host");
  const auto look = [&](std::chrono::milliseconds at) {
    recording->seek(kStart + at);
    return source->read_kernel_log();
  };
  CHECK(look(-1ms).error().code == Errc::missing);
  CHECK(look(0ms).value().records == Records{"6,1,1,-;one\n", "6,2,2,-;two\n KEY=value\n"});
  CHECK(look(100ms).value().records.empty());
  const auto overrun = look(200ms);
  REQUIRE(overrun);
  CHECK(overrun->records == Records{"6,5,3,-;five\n"});
  CHECK(overrun->overrun);
  CHECK(look(300ms).error().code == Errc::denied);
  REQUIRE(look(400ms));
  CHECK(look(500ms).error().code == Errc::denied);
  CHECK(look(600ms).value().records == Records{"6,6,4,-;six\n", "6,7,4,-;seven, within the same tick\n"});
  CHECK(look(700ms).value().records.empty());

  const auto late = recording->source("host")->read_kernel_log();
  REQUIRE(late);
  CHECK(late->records.size() == 5);
}

TEST_CASE("a log too long for one look is followed in a replay as it was live") {
  TemporaryDirectory directory;
  KernelLogReader live;
  const Snapshot previous;
  Result<KernelLog> seen = unexpected(Errc::not_read, "");
  {
    Recorder recorder(directory.path("rec"));
    const auto look = [&](std::chrono::milliseconds at, const std::string& record, bool more) {
      recorder.tick(at);
      recorder.kernel->kernel_log = KernelLogRecords{.records = {record}, .more = more};
      seen = live(Reading{*recorder.source, kStart + at, previous});
    };
    look(0ms, "6,1,1,-;boot\n", true);
    look(1000ms, "6,2,1,-;TCP: too many orphaned sockets\n", false);
    look(2000ms, "6,3,9,-;TCP: too many orphaned sockets\n", false);
  }
  auto recording = Recording::open(directory.path("rec"));
  REQUIRE(recording);
  const auto source = recording->source("host");
  KernelLogReader again;
  Result<KernelLog> replayed = unexpected(Errc::not_read, "");
  for (const auto tick : recording->ticks()) {
    recording->seek(tick);
    replayed = again(Reading{*source, tick, previous});
  }
  REQUIRE(seen);
  REQUIRE(replayed);
  CHECK(replayed->counts == seen->counts);
  CHECK(seen->counts.at(static_cast<std::size_t>(KernelEventKind::orphans)) == 1);
}

TEST_CASE("a log in which nothing happened is known, one that nobody read is missing") {
  TemporaryDirectory directory;
  {
    Recorder recorder(directory.path("rec"));
    recorder.tick(0ms);
    (void)recorder.source->read_kernel_log();
    const auto other = recorder.writer->wrap(std::make_unique<FakeSource>(), "other");
    (void)other->read("/proc/x");
  }
  const auto recording = Recording::open(directory.path("rec"));
  REQUIRE(recording);
  CHECK(recording->source("host")->read_kernel_log().value().records.empty());
  CHECK(recording->source("other")->read_kernel_log().error().code == Errc::missing);
  CHECK(recording->namespaces() == std::vector<std::string>{"host", "other"});
}

TEST_CASE("no name of a namespace leads out of the recording") {
  for (const auto* name : {"/run/netns/a", "../../a", "..", ".", "", "a/../../../b"}) {
    TemporaryDirectory directory;
    {
      Recorder recorder(directory.path("outer/rec"), name);
      recorder.tick(0ms);
      recorder.kernel->files["/tcpdiag-test-outside"] = "x";
      CHECK(recorder.source->read("/tcpdiag-test-outside") == "x");
      CHECK(recorder.writer->outcome());
    }
    CHECK_FALSE(fs::exists("/tcpdiag-test-outside"));
    CHECK(files_in(directory.path("")) == 3);
    CHECK(files_in(directory.path("outer/rec")) == 3);
    const auto recording = Recording::open(directory.path("outer/rec"));
    REQUIRE(recording);
    CHECK(recording->source(name)->read("/tcpdiag-test-outside") == "x");
    REQUIRE(recording->namespaces().size() == 2);
    CHECK(recording->source(recording->namespaces()[1])->read("/tcpdiag-test-outside") == "x");
  }
}

TEST_CASE("a recording is not made over anything, nor where it cannot be") {
  TemporaryDirectory directory;
  (void)directory.write("file", "precious");
  const auto error_at = [&](const std::string& at) {
    const auto created = RecordingWriter::create(at, {.page_size = 4096});
    REQUIRE_FALSE(created);
    CHECK_THAT(created.error().detail, ContainsSubstring(at));
    return created.error();
  };
  CHECK_THAT(error_at(fs::path(directory.path("file")).parent_path()).detail, ContainsSubstring("not empty"));
  CHECK(error_at(directory.path("file")).code != Errc::not_read);
  CHECK(RecordingWriter::create(directory.path("file/below"), {.page_size = 4096}).error() ==
        Error{Errc::missing, directory.path("file") + ": Not a directory"});
  CHECK(error_at("/proc/tcpdiag-test").code == Errc::missing);
}

TEST_CASE("a recording is for its owner alone, and not written into a directory of somebody else") {
  TemporaryDirectory directory;
  const auto before = ::umask(0);
  {
    Recorder recorder(directory.path("rec"));
    recorder.tick(0ms);
    recorder.kernel->files["/proc/x"] = "a";
    CHECK(recorder.source->read("/proc/x") == "a");
  }
  ::umask(before);
  for (const auto& entry : fs::recursive_directory_iterator(directory.path("rec")))
    CHECK(entry.symlink_status().permissions() == (entry.is_directory() ? fs::perms{0700} : fs::perms{0600}));
  fs::create_directory(directory.path("there"));
  const auto created =
      RecordingWriter::create(directory.path("there"), {.page_size = 4096}, {.owner = ::geteuid() + 1});
  REQUIRE_FALSE(created);
  CHECK_THAT(created.error().detail, ContainsSubstring(directory.path("there") + ": belongs to user "));
}

TEST_CASE("a replay follows no link that takes the place of what was there when it began") {
  TemporaryDirectory directory;
  write_by_hand(directory);
  const auto recording = Recording::open(directory.path(""));
  REQUIRE(recording);
  CHECK(recording->source("host")->read("/proc/uptime") == "1 1\n");
  fs::rename(directory.path("0/host/proc"), directory.path("elsewhere"));
  fs::create_directory_symlink(directory.path("elsewhere"), directory.path("0/host/proc"));
  CHECK_FALSE(recording->source("host")->read("/proc/uptime"));
}

TEST_CASE("when it can no longer be written, the reads go on and what was recorded stays whole") {
  TemporaryDirectory directory;
  Recorder recorder(directory.path("rec"));
  auto& kernel = *recorder.kernel;
  kernel.files["/proc/x"] = "a";
  kernel.files["/proc/y"] = "a";
  recorder.tick(0ms);
  CHECK(recorder.source->read("/proc/x") == "a");
  recorder.tick(100ms);
  (void)directory.write("rec/100", "in the way of the tick's directory");
  kernel.files["/proc/x"] = "b";
  CHECK(recorder.source->read("/proc/x") == "b");
  REQUIRE_FALSE(recorder.writer->outcome());
  CHECK_THAT(recorder.writer->outcome().error().detail, ContainsSubstring("/rec/100/"));
  CHECK_FALSE(recorder.writer->begin_tick(kStart + 200ms));
  CHECK(recorder.source->read("/proc/y") == "a");
  const auto recording = Recording::open(directory.path("rec"));
  REQUIRE(recording);
  CHECK(recording->ticks().size() == 2);
  CHECK(recording->source("host")->read("/proc/x") == "a");
}

TEST_CASE("a directory that is no recording is refused, by name") {
  TemporaryDirectory directory;
  CHECK(refusal(directory).code == Errc::missing);
  write_by_hand(directory);
  REQUIRE(Recording::open(directory.path("")));

  const std::string rest = "started_unix_ms 1\n";
  for (const auto* about :
       {"", "garbage", "format 2\npage_size 4096\nstarted_monotonic_ns 1\n",
        "format 1\nstarted_monotonic_ns 1\n", "format 1\npage_size 0\nstarted_monotonic_ns 1\n",
        "format 1\npage_size -1\nstarted_monotonic_ns 1\n", "format 1\npage_size 4096\n",
        "format 1\npage_size 4096\nstarted_monotonic_ns -1\n",
        "format 1\npage_size 4096\nstarted_monotonic_ns 9223372036854775807\n",
        "format 1\npage_size 4096\nstarted_monotonic_ns 99999999999999999999\n",
        "format 1\npage_size 4096\nstarted_monotonic_ns 1\nstarted_unix_ms 9223372036854775807\n"}) {
    INFO(about);
    (void)directory.write("about", rest + about);
    const auto error = refusal(directory);
    CHECK(error.code == Errc::malformed);
    CHECK_THAT(error.detail, ContainsSubstring("about"));
  }
  write_by_hand(directory);
  for (const auto* ticks :
       {"", "\n", "0", "x\n", "0\nx\n", "-1\n", "100\n0\n", "9223372036854775807\n", "1e3\n"}) {
    INFO(ticks);
    (void)directory.write("ticks", ticks);
    const auto error = refusal(directory);
    CHECK(error.code == Errc::malformed);
    CHECK_THAT(error.detail, ContainsSubstring("ticks"));
  }
}

TEST_CASE("a last tick that was cut off while it was written does not count") {
  TemporaryDirectory directory;
  write_by_hand(directory);
  const std::string ticks = "0\n100\n2000\n";
  for (std::size_t length = 2; length <= ticks.size(); ++length) {
    (void)directory.write("ticks", ticks.substr(0, length));
    const auto recording = Recording::open(directory.path(""));
    REQUIRE(recording);
    CHECK(recording->ticks().size() == (length < 6 ? 1U : length < 11 ? 2U : 3U));
    CHECK(recording->source("host")->read("/proc/uptime") == "1 1\n");
  }
}

TEST_CASE("links, pipes and stray files in a recording lead nowhere") {
  TemporaryDirectory directory;
  write_by_hand(directory);
  fs::create_symlink("/etc/passwd", directory.path("0/host/proc/link"));
  fs::create_symlink("/etc", directory.path("0/host/etc"));
  fs::create_symlink("/proc", directory.path("100"));
  REQUIRE(::mkfifo(directory.path("0/host/proc/pipe").c_str(), 0600) == 0);
  (void)directory.write("0/stray", "x");
  (void)directory.write("-5", "x");
  fs::create_directories(directory.path("notes/host/proc"));
  (void)directory.write("notes/host/proc/x", "x");
  const auto recording = Recording::open(directory.path(""));
  REQUIRE(recording);
  const auto source = recording->source("host");
  CHECK(source->read("/proc/uptime") == "1 1\n");
  for (const auto* path : {"/proc/link", "/proc/pipe", "/etc/passwd", "/proc/x", ""})
    CHECK(source->read(path).error().code == Errc::missing);
  CHECK(recording->namespaces() == std::vector<std::string>{"host"});
}

TEST_CASE("about and ticks that are links or pipes are refused and not opened") {
  for (const auto* name : {"about", "ticks"}) {
    TemporaryDirectory directory;
    write_by_hand(directory);
    fs::remove(directory.path(name));
    SECTION(std::string(name) + " is a link") {
      (void)directory.write("elsewhere", "secret\n");
      fs::create_symlink(directory.path("elsewhere"), directory.path(name));
      CHECK_THAT(refusal(directory).detail, !ContainsSubstring("secret"));
    }
    SECTION(std::string(name) + " is a pipe") {
      REQUIRE(::mkfifo(directory.path(name).c_str(), 0600) == 0);
      CHECK(refusal(directory).code == Errc::malformed);
    }
  }
}

TEST_CASE("an about or ticks file of any size is refused beyond its bound") {
  for (const auto* name : {"about", "ticks"}) {
    TemporaryDirectory directory;
    write_by_hand(directory);
    fs::resize_file(directory.path(name), std::uintmax_t{1} << 40);  // sparse
    CHECK(refusal(directory).code == Errc::too_large);
  }
}

TEST_CASE("no recorded file is read beyond what can have been recorded, and the error names it") {
  TemporaryDirectory directory;
  write_by_hand(directory);
  fs::create_directories(directory.path("0/host/sock_diag"));
  const std::string dump = "0/host/sock_diag/states-" + std::to_string(kListeners.states) + "-memory";
  for (const auto& [name, bytes] : {std::pair<std::string, std::uintmax_t>{"0/host/proc/netstat", 5 << 20},
                                    {"0/host/proc/1.list", 65 << 20},
                                    {"0/host/proc/1/fd.links", 65 << 20},
                                    {"0/host/kmsg", 65 << 20},
                                    {dump, 65 << 20}}) {
    fs::create_directories(fs::path(directory.path(name)).parent_path());
    (void)directory.write(name, "");
    fs::resize_file(directory.path(name), bytes);  // sparse
  }
  const auto recording = Recording::open(directory.path(""));
  REQUIRE(recording);
  const auto source = recording->source("host");
  const auto netstat = source->read("/proc/netstat").error();
  CHECK(netstat.code == Errc::too_large);
  CHECK_THAT(netstat.detail, ContainsSubstring("0/host/proc/netstat: longer than "));
  CHECK(source->list("/proc/1").error().code == Errc::too_large);
  CHECK(source->link("/proc/1/fd/3").error().code == Errc::too_large);
  CHECK(source->read_kernel_log().error().code == Errc::too_large);
  Result<void> outcome;
  dumped(*source, outcome);
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == Errc::malformed);  // a dump may be as long
}

TEST_CASE("recorded sizes, errors and dumps that are garbled are errors") {
  TemporaryDirectory directory;
  write_by_hand(directory);
  fs::create_directories(directory.path("0/host/sock_diag"));
  (void)directory.write("0/host/proc/a.size", "many");
  (void)directory.write("0/host/proc/b.error", "no_such_code\nwhere: what");
  (void)directory.write("0/host/proc/c.error", "");
  (void)directory.write("0/host/proc/d.error", "denied");
  const auto dump = "0/host/sock_diag/states-" + std::to_string(kListeners.states) + "-memory";
  const auto recording = [&] {
    auto opened = Recording::open(directory.path(""));
    REQUIRE(opened);
    return std::move(*opened);
  };
  {
    const auto opened = recording();
    const auto source = opened.source("host");
    CHECK(source->size("/proc/a").error().code == Errc::malformed);
    CHECK(source->read("/proc/b").error() == Error{Errc::failed, "where: what"});
    CHECK(source->read("/proc/c").error().code == Errc::failed);
    CHECK(source->read("/proc/d").error().code == Errc::denied);
  }
  const auto whole =
      netlink_message(TCPDIAG_GETSOCK, 0, "abcd") + netlink_message(NLMSG_DONE, 0, bytes_of(int{0}));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    (void)directory.write(dump, whole.substr(0, length));
    const auto opened = recording();
    Result<void> outcome;
    dumped(*opened.source("host"), outcome);
    REQUIRE_FALSE(outcome);
    CHECK(outcome.error().code == Errc::malformed);
  }
}

TEST_CASE("a namespace that was found is kept by its generation, whatever others are called") {
  TemporaryDirectory directory;
  {
    Recorder recorder(directory.path("rec"));
    recorder.tick(0ms);
    const auto read = [](std::unique_ptr<Source> source) { (void)source->read("/proc/net/snmp"); };
    const auto saying = [](const std::string& text) {
      auto kernel = std::make_unique<FakeSource>();
      kernel->files["/proc/net/snmp"] = text;
      return kernel;
    };
    read(recorder.writer->wrap_found(saying("found"), 7));
    read(recorder.writer->wrap(saying("named"), "@7"));
    CHECK(recorder.writer->outcome());
  }
  const auto recording = Recording::open(directory.path("rec"));
  REQUIRE(recording);
  CHECK(recording->has_found(7));
  CHECK_FALSE(recording->has_found(70));
  CHECK(recording->source_of_found(7)->read("/proc/net/snmp") == "found");
  CHECK(recording->source("@7")->read("/proc/net/snmp") == "named");
  CHECK(recording->namespaces() == std::vector<std::string>{"host", "-@7"});
  CHECK(recording->source_of_found(8)->read("/proc/net/snmp").error().code == Errc::missing);
}
