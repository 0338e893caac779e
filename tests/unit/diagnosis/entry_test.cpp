// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/entry.h"

#include <memory>

#include "tests/catch.h"

using namespace tcpdiag;

namespace {

Snapshot with(const FoundNetns& found) {
  Snapshot snapshot;
  snapshot.namespaces = {{.name = kHostNetns}};
  snapshot.netns_list.value = std::make_shared<const NetnsList>(NetnsList{.namespaces = {found}});
  return snapshot;
}

}  // namespace

TEST_CASE("a namespace is entered by its name where ip netns knows it, else by its oldest process") {
  const NetnsView shop{.id = NetnsId(1), .generation = 3, .name = "shop"};
  CHECK(entry_of(with({.generation = 3, .anchor_pid = 812, .mount = "/run/netns/shop", .name = "shop"}),
                 shop) == "shop");
  CHECK(entry_of(with({.generation = 3, .anchor_pid = 812, .name = "shop"}), shop) == "/proc/812/ns/net");
  CHECK(entry_of(with({.generation = 3, .mount = "/run/docker/netns/7eb2", .name = "shop"}), shop) ==
        "/run/docker/netns/7eb2");
}

TEST_CASE("a container that is gone, or another one of its name, is not entered") {
  const NetnsView shop{.id = NetnsId(1), .generation = 3, .name = "shop"};
  CHECK(entry_of(with({.generation = 4, .anchor_pid = 812, .name = "shop"}), shop) == "-");
  CHECK(entry_of(Snapshot{}, shop) == "-");
}

TEST_CASE("the own namespace needs no entry, and a configured one keeps its name") {
  CHECK(entry_of(with({}), {.name = kHostNetns}).empty());
  CHECK(entry_of(with({.generation = 3, .anchor_pid = 812, .name = "blue"}),
                 {.id = NetnsId(1), .name = "blue"}) == "blue");
}
