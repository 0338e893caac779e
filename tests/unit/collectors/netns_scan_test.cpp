// SPDX-License-Identifier: Apache-2.0
#include "collectors/netns_scan.h"

#include <map>
#include <set>

#include "tests/catch.h"
#include "tests/fake_source.h"

using namespace tcpdiag;

namespace {

constexpr std::uint64_t kOwn = 4026531840;
constexpr std::uint64_t kShop = 4026532281;

std::string link_to(std::uint64_t inode) { return "net:[" + std::to_string(inode) + "]"; }

std::string stat_of(std::uint64_t start_ticks) {
  return "7 (x) S 1 7 7 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 " + std::to_string(start_ticks) + " 0 0\n";
}

/// A machine whose processes and mounts come and go, and which counts what it is asked.
class Machine : public FakeSource {
 public:
  std::size_t lists = 0, links_read = 0, reads = 0, files_looked_at = 0;

  Machine() {
    links["/proc/self/ns/net"] = link_to(kOwn);
    start(1, kOwn, 1);
  }

  void start(std::int32_t pid, std::uint64_t inode, std::uint64_t start_ticks, std::uint32_t uid = 0) {
    const auto directory = "/proc/" + std::to_string(pid);
    pids_.insert(pid);
    links[directory + "/ns/net"] = link_to(inode);
    files[directory + "/stat"] = stat_of(start_ticks);
    files[directory + "/status"] =
        "Name:\tx\nUid:\t" + std::to_string(uid) + "\t" + std::to_string(uid) + "\t0\t0\n";
  }

  void end(std::int32_t pid) {
    const auto directory = "/proc/" + std::to_string(pid);
    pids_.erase(pid);
    links.erase(directory + "/ns/net");
    files.erase(directory + "/stat");
    files.erase(directory + "/status");
  }

  void enter(std::int32_t pid, std::uint64_t inode) {
    links["/proc/" + std::to_string(pid) + "/ns/net"] = link_to(inode);
  }

  void mount(const std::string& path, std::uint64_t inode, std::int64_t made_ns = 1) {
    namespaces[path] = NetnsFile{.inode = inode, .made_ns = made_ns};
    show_file(path);
  }

  void leave_stub(const std::string& path) {
    namespaces[path] = unexpected(Errc::malformed, path + ": no network namespace");
    show_file(path);
  }

  void unmount(const std::string& path) {
    namespaces.erase(path);
    const auto at = path.rfind('/');
    std::erase(*directories.at(path.substr(0, at)), path.substr(at + 1));
  }

  Result<std::vector<std::string>> list(const std::string& path) override {
    ++lists;
    if (path != "/proc" || directories.contains(path)) return FakeSource::list(path);
    std::vector<std::string> names{"self", "net", "sys"};
    for (const auto pid : pids_) names.push_back(std::to_string(pid));
    return names;
  }
  Result<std::string> link(const std::string& path) override {
    ++links_read;
    return FakeSource::link(path);
  }
  Result<std::string> read(const std::string& path) override {
    ++reads;
    return FakeSource::read(path);
  }
  Result<NetnsFile> netns_at(const std::string& path) override {
    ++files_looked_at;
    return FakeSource::netns_at(path);
  }

 private:
  void show_file(const std::string& path) {
    const auto at = path.rfind('/');
    auto& names = directories.try_emplace(path.substr(0, at), std::vector<std::string>{}).first->second;
    std::erase(*names, path.substr(at + 1));
    names->push_back(path.substr(at + 1));
  }

  std::set<std::int32_t> pids_;
};

NetnsList scanned(NetnsScan& scan, Source& source) {
  const auto list = scan.scan(source);
  REQUIRE(list);
  return *list;
}

/// nullptr: it is not in the list.
const FoundNetns* find(const NetnsList& list, std::uint64_t inode) {
  const auto found = std::ranges::find(list.namespaces, inode, &FoundNetns::inode);
  return found == list.namespaces.end() ? nullptr : &*found;
}

FoundNetns shop_of(NetnsScan& scan, Source& source) {
  const auto list = scanned(scan, source);
  const auto* found = find(list, kShop);
  REQUIRE(found);
  return *found;
}

}  // namespace

TEST_CASE("the inode in the link of a network namespace is read, and nothing else") {
  CHECK(parse_netns_link("net:[4026531840]") == 4026531840U);
  for (const auto* text : {"", "net:", "net:[", "net:[]", "net:[x]", "net:[1", "mnt:[4026531840]", "net:[-1]",
                           "net:[99999999999999999999]", " net:[1]", "net:[1] (deleted)"})
    CHECK_FALSE(parse_netns_link(text));
}

TEST_CASE("the daemon's own namespace is first, and the others follow from the oldest on") {
  Machine machine;
  machine.start(50, 4026532400, 700);
  machine.start(60, kShop, 500);
  machine.start(61, kShop, 501);
  machine.start(70, kOwn, 5);
  NetnsScan scan;
  const auto list = scanned(scan, machine);
  REQUIRE(list.namespaces.size() == 3);
  CHECK(list.namespaces[0].kind == NetnsKind::host);
  CHECK(list.namespaces[0].inode == kOwn);
  CHECK(list.namespaces[0].generation == 0);
  CHECK(list.namespaces[0].anchor_pid == 1);
  CHECK(list.namespaces[0].anchor_start_ticks == 1);
  CHECK(list.namespaces[0].processes == 2);
  CHECK(list.namespaces[1].inode == kShop);
  CHECK(list.namespaces[1].generation == 1);
  CHECK(list.namespaces[1].anchor_pid == 60);
  CHECK(list.namespaces[1].anchor_start_ticks == 500);
  CHECK(list.namespaces[1].processes == 2);
  CHECK(list.namespaces[2].inode == 4026532400);
  CHECK(list.cut == 0);
  CHECK(list.unreadable == 0);
  CHECK(scanned(scan, machine) == list);
}

TEST_CASE("the oldest process is the anchor, whatever its number") {
  Machine machine;
  machine.start(40, kShop, 900);
  machine.start(90, kShop, 300);
  NetnsScan scan;
  CHECK(shop_of(scan, machine).anchor_pid == 90);
}

TEST_CASE("a scan without a list of processes or an own namespace is an error, and forgets nothing") {
  Machine machine;
  machine.start(60, kShop, 500);
  NetnsScan scan;
  const auto before = scanned(scan, machine);
  Machine broken;
  broken.deny("/proc");
  CHECK(scan.scan(broken).error().code == Errc::denied);
  broken.links["/proc/self/ns/net"] = "mnt:[1]";
  CHECK(scan.scan(broken).error().code == Errc::malformed);
  broken.deny("/proc/self/ns/net");
  CHECK(scan.scan(broken).error().code == Errc::denied);
  CHECK(scanned(scan, machine) == before);
}

TEST_CASE("processes that may not be asked are counted, and are in no namespace") {
  Machine machine;
  machine.start(60, kShop, 500);
  machine.start(61, kShop, 500);
  machine.deny("/proc/61/ns/net");
  NetnsScan scan;
  const auto list = scanned(scan, machine);
  CHECK(list.unreadable == 1);
  CHECK(find(list, kShop)->processes == 1);
  machine.enter(61, kShop);  // it may be asked now, and is in its turn
  CHECK(scanned(scan, machine).unreadable == 0);
}

TEST_CASE("a process without a namespace, as a zombie, is no reason to ask it at every scan") {
  Machine machine;
  for (std::int32_t pid = 1000; pid < 3000; ++pid) {
    machine.start(pid, kShop, 500);
    machine.links.erase("/proc/" + std::to_string(pid) + "/ns/net");
  }
  NetnsScan scan;
  CHECK(scanned(scan, machine).namespaces.size() == 1);
  machine.links_read = 0;
  CHECK(scanned(scan, machine).unreadable == 0);
  CHECK(machine.links_read <= 1 + NetnsMembers::kAskedAgain);
}

TEST_CASE("a container that starts is found at the next scan, and one that ended is gone") {
  Machine machine;
  NetnsScan scan;
  CHECK(scanned(scan, machine).namespaces.size() == 1);
  machine.start(60, kShop, 500);
  CHECK(scanned(scan, machine).namespaces.size() == 2);
  machine.end(60);
  CHECK(scanned(scan, machine).namespaces.size() == 1);
}

TEST_CASE("a namespace stays the same when its anchor ends and another process lives in it") {
  Machine machine;
  machine.start(60, kShop, 500);
  machine.start(61, kShop, 501);
  NetnsScan scan;
  const auto before = shop_of(scan, machine);
  machine.end(60);
  const auto after = shop_of(scan, machine);
  CHECK(after.generation == before.generation);
  CHECK(after.anchor_pid == 61);
  CHECK(after.anchor_start_ticks == 501);
  machine.end(61);
  machine.start(62, kShop, 502);  // nothing was there that carried it over
  CHECK(shop_of(scan, machine).generation != before.generation);
}

TEST_CASE("an inode that the kernel used again is another namespace, also within one scan") {
  Machine machine;
  machine.start(60, kShop, 500);
  NetnsScan scan;
  const auto first = shop_of(scan, machine);
  machine.end(60);
  machine.start(61, kShop, 600);
  const auto second = shop_of(scan, machine);
  CHECK(second.generation > first.generation);
  machine.end(61);
  CHECK(scanned(scan, machine).namespaces.size() == 1);
  machine.start(62, kShop, 700);
  CHECK(shop_of(scan, machine).generation > second.generation);
}

TEST_CASE("a process whose number and inode were both used again carries nothing over") {
  Machine machine;
  machine.start(60, kShop, 500);
  NetnsScan scan;
  const auto first = shop_of(scan, machine);
  machine.end(60);
  machine.start(60, kShop, 600);
  machine.start(61, kShop, 601);
  const auto second = shop_of(scan, machine);
  CHECK(second.generation > first.generation);
  CHECK(second.anchor_start_ticks == 600);
  CHECK(second.processes == 2);
}

TEST_CASE("an anchor whose number another process has is found out at the next scan") {
  Machine machine;
  machine.start(60, kShop, 500);
  NetnsScan scan;
  const auto first = shop_of(scan, machine);
  machine.end(60);
  machine.start(60, kOwn, 900);
  CHECK(scanned(scan, machine).namespaces.size() == 1);
  machine.start(60, kShop, 950);
  CHECK(shop_of(scan, machine).generation > first.generation);
}

TEST_CASE("a process that enters another namespace is found out in its turn") {
  Machine machine;
  for (std::int32_t pid = 1000; pid < 2000; ++pid) machine.start(pid, kOwn, 9);
  machine.start(2000, kShop, 500);
  NetnsScan scan;
  CHECK(shop_of(scan, machine).processes == 1);
  machine.enter(1999, kShop);
  std::size_t scans = 0;
  while (shop_of(scan, machine).processes == 1) REQUIRE(++scans < 10);
  CHECK(scans <= 1 + 1002 / NetnsMembers::kAskedAgain);
  CHECK(shop_of(scan, machine).generation == 1);
  // it may be the last one there, and older than those that were
  machine.end(2000);
  const auto after = shop_of(scan, machine);
  CHECK(after.anchor_pid == 1999);
  CHECK(after.generation == 1);
}

TEST_CASE("a process that left a namespace whose inode is used again carries nothing over") {
  Machine machine;
  machine.start(60, kShop, 500);
  NetnsScan scan;
  const auto first = shop_of(scan, machine);
  machine.enter(60, kOwn);
  machine.start(61, kShop, 600);
  const auto second = shop_of(scan, machine);
  CHECK(second.generation > first.generation);
  CHECK(second.processes == 1);
}

TEST_CASE("a namespace that `ip netns add` made is found without a process, what it leaves behind is none") {
  Machine machine;
  machine.mount("/run/netns/blue", kShop);
  machine.leave_stub("/run/netns/gone");
  NetnsScan scan;
  const auto list = scanned(scan, machine);
  REQUIRE(list.namespaces.size() == 2);
  CHECK(list.namespaces[1].mount == "/run/netns/blue");
  CHECK(list.namespaces[1].anchor_pid == 0);
  CHECK(list.namespaces[1].anchor_start_ticks == 0);
  CHECK(list.namespaces[1].processes == 0);

  machine.start(60, kShop, 500);
  CHECK(shop_of(scan, machine).generation == 1);
  CHECK(shop_of(scan, machine).anchor_pid == 60);
  machine.end(60);
  CHECK(shop_of(scan, machine).generation == 1);
  machine.unmount("/run/netns/blue");
  CHECK(scanned(scan, machine).namespaces.size() == 1);
}

TEST_CASE("a namespace that was deleted and added again under its name and inode is another one") {
  Machine machine;
  machine.mount("/run/netns/blue", kShop, 1);
  NetnsScan scan;
  const auto first = shop_of(scan, machine);
  machine.mount("/run/netns/blue", kShop, 2);
  CHECK(shop_of(scan, machine).generation > first.generation);
}

TEST_CASE("of several mounts of a namespace the one that tells most is shown") {
  const auto shown = [](std::initializer_list<const char*> paths) {
    Machine machine;
    for (const auto* path : paths) machine.mount(path, kShop);
    NetnsScan scan;
    return shop_of(scan, machine).mount;
  };
  CHECK(shown({"/run/docker/netns/3f1c0a9b2d4e", "/run/netns/blue"}) == "/run/netns/blue");
  CHECK(shown({"/run/netns/cni-1", "/run/netns/web"}) == "/run/netns/web");
  CHECK(shown({"/run/netns/0f3c2e4a-9d1b-4c1e-8a55-0123456789ab", "/run/netns/web"}) == "/run/netns/web");
  CHECK(shown({"/run/netns/b", "/run/netns/a"}) == "/run/netns/a");
  CHECK(shown({"/run/containerd/io.containerd.grpc.v1.cri/netns/cni-1", "/run/docker/netns/x"}) ==
        "/run/docker/netns/x");
}

TEST_CASE("where Docker mounts the host's own namespace no other one is found") {
  Machine machine;
  machine.mount("/run/docker/netns/default", kOwn);
  NetnsScan scan;
  CHECK(scanned(scan, machine).namespaces.size() == 1);
}

TEST_CASE("with 5000 processes that stay, a scan asks about two hundred of them") {
  Machine machine;
  for (std::int32_t pid = 1000; pid < 6000; ++pid)
    machine.start(pid, pid % 20 == 0 ? kShop + static_cast<std::uint64_t>(pid) : kOwn, 9);
  NetnsScan scan;
  CHECK(scanned(scan, machine).namespaces.size() == 251);
  CHECK(machine.links_read == 5502);  // each one, the daemon's own, and two for each namespace
  for (int i = 0; i < 40; ++i) {
    machine.lists = machine.links_read = machine.reads = machine.files_looked_at = 0;
    CHECK(scanned(scan, machine).namespaces.size() == 251);
    CHECK(machine.lists == 5);  // /proc and where mounts may be
    CHECK(machine.links_read <= 1 + NetnsMembers::kAskedAgain + NetnsScan::kAnchorsAsked);
    CHECK(machine.reads <= 1 + NetnsScan::kAnchorsAsked);
    CHECK(machine.files_looked_at == 0);
  }
}

TEST_CASE("a newcomer costs its own questions and the proof of one who was there") {
  Machine machine;
  for (std::int32_t pid = 1000; pid < 6000; ++pid)
    machine.start(pid, pid % 20 == 0 ? kShop + static_cast<std::uint64_t>(pid) : kOwn, 9);
  NetnsScan scan;
  (void)scanned(scan, machine);
  machine.start(7000, kShop + 1000, 10);
  machine.links_read = machine.reads = 0;
  CHECK(find(scanned(scan, machine), kShop + 1000)->processes == 2);
  CHECK(machine.links_read <= 1 + NetnsMembers::kAskedAgain + NetnsScan::kAnchorsAsked + 2);
  CHECK(machine.reads <= 1 + NetnsScan::kAnchorsAsked + 2);
}

TEST_CASE("mounts that stay are read again a few at a time") {
  Machine machine;
  for (std::uint64_t i = 0; i < 500; ++i) machine.mount("/run/netns/n" + std::to_string(i), kShop + i);
  NetnsScan scan;
  CHECK(scanned(scan, machine).namespaces.size() == 501);
  machine.files_looked_at = 0;
  CHECK(scanned(scan, machine).namespaces.size() == 501);
  CHECK(machine.files_looked_at == NetnsMounts::kReadAgain);
  machine.mount("/run/netns/n499", kShop + 499, 2);
  for (std::size_t i = 0; i <= 500 / NetnsMounts::kReadAgain; ++i) (void)scanned(scan, machine);
  CHECK(find(scanned(scan, machine), kShop + 499)->generation == 501);
}

TEST_CASE("of 5000 namespaces as many as there is room for are kept, shared out among the users") {
  Machine machine;
  for (std::int32_t pid = 1000; pid < 6000; ++pid)
    machine.start(pid, kShop + static_cast<std::uint64_t>(pid), static_cast<std::uint64_t>(pid), 1000);
  machine.start(7000, kShop, 9000, 0);
  NetnsScan scan;
  const auto list = scanned(scan, machine);
  CHECK(list.namespaces.size() == NetnsList::kMost);
  CHECK(list.cut == 5002 - NetnsList::kMost);
  CHECK(list.namespaces.front().inode == kOwn);
  CHECK(find(list, kShop));
  CHECK(find(list, kShop + 1000));  // the oldest of the user who has so many
  CHECK(scanned(scan, machine) == list);
}
