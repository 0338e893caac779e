// SPDX-License-Identifier: Apache-2.0
#include "collectors/tree.h"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/catch.h"
#include "tests/temporary_directory.h"

using namespace tcpdiag;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMost = 1 << 20;

Tree made(const TemporaryDirectory& directory) {
  auto tree = Tree::create(directory.path("tree"), ::geteuid());
  REQUIRE(tree);
  return std::move(*tree);
}

std::string refusal(const fs::path& path, uid_t owner = ::geteuid()) {
  const auto tree = Tree::create(path, owner);
  REQUIRE_FALSE(tree);
  return tree.error().detail;
}

unsigned mode_of(const std::string& path) {
  return static_cast<unsigned>(fs::symlink_status(path).permissions());
}

std::string content_of(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("what is written is for its owner alone, whatever the umask") {
  TemporaryDirectory directory;
  const auto before = ::umask(0);
  const auto tree = made(directory);
  CHECK(tree.write("0/host/x", "a", Tree::How::whole));
  ::umask(before);
  for (const auto* made_directory : {"tree", "tree/0", "tree/0/host"})
    CHECK(mode_of(directory.path(made_directory)) == 0700);
  CHECK(mode_of(directory.path("tree/0/host/x")) == 0600);
}

TEST_CASE("a file is written whole or added to, and read again") {
  TemporaryDirectory directory;
  const auto tree = made(directory);
  CHECK(tree.missing("0/host/x") == 3);
  CHECK(tree.write("0/host/x", "long", Tree::How::whole));
  CHECK(tree.missing("0/host/x") == 0);
  CHECK(tree.missing("0/host/y") == 1);
  CHECK(tree.write("0/host/x", "b", Tree::How::whole));
  CHECK(tree.write("0/host/x", "c", Tree::How::append));
  CHECK(tree.read("0/host/x", kMost) == "bc");
  CHECK(tree.read("0/host/x", 1).error().code == Errc::too_large);
  CHECK(tree.read("0/host/none", kMost).error() ==
        Error{Errc::missing, directory.path("tree/0/host/none") + ": No such file or directory"});
  tree.remove("0/host/x");
  CHECK(tree.read("0/host/x", kMost).error().code == Errc::missing);
}

TEST_CASE("no link is followed, neither in the place of a directory nor of a file") {
  TemporaryDirectory directory;
  const auto tree = made(directory);
  fs::create_directories(directory.path("victim"));
  const auto victim = directory.write("victim/x", "precious");
  fs::create_directory_symlink(directory.path("victim"), directory.path("tree/0"));
  fs::create_symlink(victim, directory.path("tree/file"));
  fs::create_symlink(directory.path("victim/new"), directory.path("tree/dangling"));
  fs::create_hard_link(victim, directory.path("tree/hard"));
  for (const auto how : {Tree::How::whole, Tree::How::append})
    for (const auto* path : {"0/x", "0/new", "0/below/new", "file", "dangling", "hard"})
      CHECK_FALSE(tree.write(path, "evil", how));
  for (const auto* path : {"0/x", "file", "dangling"}) CHECK_FALSE(tree.read(path, kMost));
  tree.remove("0/x");
  CHECK(content_of(victim) == "precious");
  CHECK(std::distance(fs::directory_iterator(directory.path("victim")), {}) == 1);
}

TEST_CASE("what is no file is neither written nor read, and nothing waits for it") {
  TemporaryDirectory directory;
  const auto tree = made(directory);
  REQUIRE(::mkfifo(directory.path("tree/fifo").c_str(), 0600) == 0);
  fs::create_directory(directory.path("tree/directory"));
  for (const auto* path : {"fifo", "directory"}) {
    CHECK_FALSE(tree.write(path, "x", Tree::How::whole));
    const auto read = tree.read(path, kMost);
    REQUIRE_FALSE(read);
    CHECK_THAT(read.error().detail, ContainsSubstring(": not a regular file"));
  }
  for (const auto* path : {"", "..", "../victim", "directory/../x", "./x", "directory//x"})
    CHECK_FALSE(tree.write(path, "x", Tree::How::whole));
}

TEST_CASE("a directory in which others could put links is refused, and the reason is said") {
  TemporaryDirectory directory;
  const auto path = directory.path("there");
  fs::create_directory(path);
  fs::permissions(path, fs::perms{0755});
  CHECK(Tree::create(path, ::geteuid()));
  for (const unsigned mode : {0775U, 0757U, 01777U}) {
    fs::permissions(path, fs::perms{mode});
    CHECK_THAT(refusal(path), ContainsSubstring(path + ": others may write into it (mode "));
  }
  fs::permissions(path, fs::perms{0700});
  CHECK(refusal(path, ::geteuid() + 1) == path + ": belongs to user " + std::to_string(::geteuid()) +
                                              ", not to user " + std::to_string(::geteuid() + 1) +
                                              ", who writes it");
  const auto link = directory.path("link");
  fs::create_directory_symlink(path, link);
  for (const auto* end : {"", "/", "/.", "/./"})
    CHECK(refusal(link + end) == link + ": a link, which could lead anywhere");
  (void)directory.write("there/file", "");
  CHECK(refusal(path) == path + ": not empty");
}

TEST_CASE("a way that others could lead elsewhere is not gone") {
  TemporaryDirectory directory;
  const auto shared = directory.path("shared"), inner = directory.path("shared/inner");
  fs::create_directories(inner);
  fs::permissions(shared, fs::perms{0777U});
  CHECK(refusal(inner + "/new") == shared + ": others may rename what is in it");
  CHECK(Tree::create(shared + "/new", ::geteuid()));  // which is looked at itself
  fs::permissions(shared, fs::perms{0775U});          // a group of one's own is usual
  CHECK(Tree::create(inner + "/of-the-group", ::geteuid()));
  fs::permissions(shared, fs::perms{01777});
  CHECK(Tree::create(inner + "/new", ::geteuid()));
  fs::create_directory(directory.path("target"));
  fs::create_directory_symlink("../target", shared + "/link");
  CHECK(Tree::create(shared + "/link/new", ::geteuid()));  // our own
  CHECK(fs::exists(directory.path("target/new")));
  fs::create_directory_symlink("loop", directory.path("loop"));
  CHECK_THAT(refusal(directory.path("loop/new")), ContainsSubstring("Too many levels"));
  if (::geteuid() != 0) return;  // the rest is about what others own

  REQUIRE(::lchown((shared + "/link").c_str(), 65534, 65534) == 0);
  CHECK(refusal(shared + "/link/other") ==
        shared + "/link: a link of user 65534, who could lead it anywhere");
  CHECK_FALSE(fs::exists(directory.path("target/other")));
  REQUIRE(::chown(inner.c_str(), 65534, 65534) == 0);
  CHECK(refusal(inner + "/x/new") == inner + ": belongs to user 65534, who could lead it anywhere");
  fs::permissions(shared, fs::perms{0755});
  CHECK(refusal(inner + "/x/new") == inner + ": user 65534 may rename what is in it");
  CHECK(Tree::create(inner + "/other", ::geteuid()));  // as in one's home with sudo
}

TEST_CASE("directories above a new one are made") {
  TemporaryDirectory directory;
  CHECK(Tree::create(directory.path("a/b/c/"), ::geteuid()));
  CHECK(mode_of(directory.path("a/b/c")) == 0700);
}
