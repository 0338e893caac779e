// SPDX-License-Identifier: Apache-2.0
#include "collectors/files.h"

#include <algorithm>
#include <thread>

#include "collectors/netns.h"
#include "tests/catch.h"
#include "tests/temporary_directory.h"

using namespace tcpdiag;

namespace {

Result<std::string> read(const std::string& path, std::size_t most) {
  const auto file = open_file(path);
  if (!file) return tl::unexpected<Error>(file.error());
  return read_whole(*file, path, most);
}

}  // namespace

TEST_CASE("a file is read whole, and again from its beginning") {
  const TemporaryDirectory directory;
  const std::string content(20000, 'x');
  const auto path = directory.write("file", content);
  const auto file = open_file(path);
  REQUIRE(file);
  CHECK(read_whole(*file, path, 20000) == content);
  CHECK(read_whole(*file, path, 20000) == content);
  (void)directory.write("file", "shorter");
  CHECK(read_whole(*file, path, 20000) == "shorter");
  (void)directory.write("file", "");
  CHECK(read_whole(*file, path, 20000) == "");
}

TEST_CASE("a file longer than the bound is an error that names it, one as long is not") {
  const TemporaryDirectory directory;
  const auto path = directory.write("file", std::string(10000, 'x'));
  CHECK(read(path, 10000).has_value());
  const auto too_large = read(path, 9999);
  REQUIRE_FALSE(too_large);
  CHECK(too_large.error().code == Errc::too_large);
  CHECK_THAT(too_large.error().detail, ContainsSubstring(path));
}

TEST_CASE("a file that never ends is an error, too") {
  CHECK(read("/dev/zero", 1 << 20).error().code == Errc::too_large);
}

TEST_CASE("what is not there is missing, what is something else has failed") {
  const TemporaryDirectory directory;
  const auto file = directory.write("file", "x");
  for (const auto& path : {directory.path("none"), file + "/below"}) {
    CHECK(read(path, 10).error().code == Errc::missing);
    CHECK(list_directory(path).error().code == Errc::missing);
    CHECK(read_link(path).error().code == Errc::missing);
    CHECK(file_size(path).error().code == Errc::missing);
    CHECK_THAT(read(path, 10).error().detail, ContainsSubstring(path));
  }
  CHECK(read(directory.path(""), 10).error().code == Errc::failed);
  CHECK(list_directory(file).error().code == Errc::missing);  // ENOTDIR
  CHECK(read_link(file).error().code == Errc::failed);
}

TEST_CASE("a directory is listed without itself and its parent, a link says where it leads") {
  const TemporaryDirectory directory;
  CHECK(list_directory(directory.path(""))->empty());
  (void)directory.write("a", "12345");
  std::filesystem::create_symlink("nowhere at all", directory.path("b"));
  auto names = list_directory(directory.path(""));
  REQUIRE(names);
  std::sort(names->begin(), names->end());
  CHECK(*names == std::vector<std::string>{"a", "b"});
  CHECK(read_link(directory.path("b")) == "nowhere at all");
  CHECK(file_size(directory.path("a")) == 5U);
  CHECK(file_size(directory.path("b")).error().code == Errc::missing);
}

TEST_CASE("the network namespace that a file holds is told from other files and namespaces") {
  const TemporaryDirectory directory;
  const auto own = netns_in_file("/proc/self/ns/net");
  REQUIRE(own);
  CHECK(read_link("/proc/self/ns/net") == "net:[" + std::to_string(own->inode) + "]");
  CHECK(netns_in_file("/proc/self/ns/mnt").error().code == Errc::malformed);
  CHECK(netns_in_file(directory.write("stub", "")).error().code == Errc::malformed);
  CHECK(netns_in_file(directory.path("none")).error().code == Errc::missing);
}

TEST_CASE("work for our own namespace is done on the calling thread") {
  const auto here = std::this_thread::get_id();
  auto done_on = std::thread::id();
  CHECK(Netns().run_inside([&] { done_on = std::this_thread::get_id(); }));
  CHECK(done_on == here);
  CHECK(Netns().check_is(""));
}

TEST_CASE("a file that is no namespace is not entered, and one that was replaced is noticed") {
  const TemporaryDirectory directory;
  CHECK(Netns::open(directory.path("none")).error().code == Errc::no_netns);
  CHECK(Netns::open("tcpdiag-no-such-namespace").error().code == Errc::no_netns);
  const auto path = directory.write("file", "no namespace");
  const auto netns = Netns::open(path);
  REQUIRE(netns);
  bool entered = false;
  const auto ran = netns->run_inside([&] { entered = true; });
  REQUIRE_FALSE(ran);
  CHECK_FALSE(entered);
  CHECK_THAT(ran.error().detail, ContainsSubstring(path));
  CHECK(netns->check_is(path));
  std::filesystem::rename(directory.write("other", ""), path);
  CHECK(netns->check_is(path).error().code == Errc::no_netns);
  std::filesystem::remove(path);
  CHECK(netns->check_is(path).error().code == Errc::no_netns);
}
