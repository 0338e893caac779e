// SPDX-License-Identifier: Apache-2.0
#include "core/binary_form.h"

#include "core/sections.h"
#include "exporters/json.h"
#include "tests/catch.h"
#include "tests/choices.h"
#include "tests/random_machine.h"
#include "tests/sample_report.h"

namespace tcpdiag {
namespace {

struct Inner {
  std::string text;
  std::int32_t below = 0;
};
constexpr auto members_of(Type<Inner>, auto member) {
  return std::tuple(member("text", &Inner::text), member("below", &Inner::below));
}

struct Old {
  std::uint64_t kept = 7;
  std::vector<std::uint16_t> list;
};
constexpr auto members_of(Type<Old>, auto member) {
  return std::tuple(member("kept", &Old::kept), member("list", &Old::list));
}

// What a later version may have made of it.
struct New {
  std::vector<Inner> inner;
  double ratio = 0.5;
  std::uint64_t kept = 7;
  Count count;
};
constexpr auto members_of(Type<New>, auto member) {
  return std::tuple(member("inner", &New::inner), member("ratio", &New::ratio), member("kept", &New::kept),
                    member("count", &New::count));
}

struct Narrow {
  std::uint8_t kept = 0;
};
constexpr auto members_of(Type<Narrow>, auto member) { return std::tuple(member("kept", &Narrow::kept)); }

std::string json_of(const Snapshot& snapshot) {
  auto report = sample_report();
  report.snapshot = snapshot;
  return to_json_text(report);
}

}  // namespace

TEST_CASE("a snapshot is read back as it was written") {
  const auto snapshot = sample_report().snapshot;
  const auto bytes = to_binary(snapshot);
  const auto read = from_binary<Snapshot>(bytes);
  REQUIRE(read);
  CHECK(to_binary(*read) == bytes);
  CHECK(json_of(*read) == json_of(snapshot));
  CHECK(read->at == snapshot.at);
  REQUIRE(read->namespaces.size() == 2);
  CHECK(read->namespaces[1].id == snapshot.namespaces[1].id);
  CHECK(read->namespaces[1].listeners.value.error() == snapshot.namespaces[1].listeners.value.error());
}

TEST_CASE("machines of every kind are read back as they were") {
  for (std::uint8_t seed = 0; seed < 20; ++seed) {
    std::vector<std::uint8_t> bytes(4096);
    std::uint32_t state = seed + 1U;
    for (auto& byte : bytes)
      byte = static_cast<std::uint8_t>((state = state * 1664525U + 1013904223U) >> 24U);
    Choices choices(bytes);
    RandomMachine machine(choices);
    const auto snapshot = machine.next();
    const auto written = to_binary(snapshot);
    const auto read = from_binary<Snapshot>(written);
    REQUIRE(read);
    CHECK(to_binary(*read) == written);
    CHECK(json_of(*read) == json_of(snapshot));
  }
}

TEST_CASE("an older reader passes over what it does not know, a newer one keeps its defaults") {
  const auto old = from_binary<Old>(to_binary(New{.inner = {{"a", -5}, {"b", 6}}, .kept = 1, .count = 9}));
  REQUIRE(old);
  CHECK(old->kept == 1);
  CHECK(old->list.empty());
  const auto fresh = from_binary<New>(to_binary(Old{.kept = 3, .list = {1, 65535}}));
  REQUIRE(fresh);
  CHECK(fresh->kept == 3);
  CHECK(fresh->ratio == 0.5);
  CHECK_FALSE(fresh->count);
}

TEST_CASE("missing is not zero, and every bound of a number is kept") {
  New value{.inner = {{"", std::numeric_limits<std::int32_t>::min()},
                      {std::string("\0x", 2), std::numeric_limits<std::int32_t>::max()}},
            .ratio = -1e300,
            .kept = std::numeric_limits<std::uint64_t>::max(),
            .count = 0};
  const auto read = from_binary<New>(to_binary(value));
  REQUIRE(read);
  CHECK(read->inner[0].below == value.inner[0].below);
  CHECK(read->inner[1].below == value.inner[1].below);
  CHECK(read->inner[1].text == value.inner[1].text);
  CHECK(read->ratio == value.ratio);
  CHECK(read->kept == value.kept);
  CHECK(read->count == 0U);
  value.count.reset();
  CHECK_FALSE(from_binary<New>(to_binary(value))->count);
}

TEST_CASE("a sysctl that this version does not know is left out") {
  Settings settings;
  settings.sysctls = {{"net.core.somaxconn", {128}, "128"}, {"net.ipv4.tcp_of_tomorrow", {1}, "1"}};
  const auto read = from_binary<Settings>(to_binary(settings));
  REQUIRE(read);
  REQUIRE(read->sysctls.size() == 1);
  CHECK(read->sysctls[0].values == std::vector<std::int64_t>{128});
}

TEST_CASE("a binary form that is cut off at any byte, or goes on, is refused") {
  const auto bytes = to_binary(sample_report().snapshot);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CAPTURE(length);
    REQUIRE_FALSE(from_binary<Snapshot>(bytes.substr(0, length)));
  }
  CHECK(from_binary<Snapshot>(bytes + '\0').error().code == Errc::malformed);
  auto later = bytes;
  later[0] = 2;
  CHECK_FALSE(from_binary<Snapshot>(later));
}

TEST_CASE("what a word of a later version belongs to is left out of a list") {
  KernelLog log;
  log.recent = {{.kind = KernelEventKind::syn_flood}, {.kind = KernelEventKind::file_max}};
  auto bytes = to_binary(log);
  const auto word = bytes.find("file_max");
  REQUIRE(word != std::string::npos);
  bytes.replace(word, 8, "file_mix");
  const auto read = from_binary<KernelLog>(bytes);
  REQUIRE(read);
  REQUIRE(read->recent.size() == 1);
  CHECK(read->recent[0].kind == KernelEventKind::syn_flood);
}

TEST_CASE("lists behind a word of a later version do not hide it") {
  Processes processes;
  processes.processes = {{.pid = 1, .owner = {.kind = OwnerKind::machine}, .listener_inodes = {5}}};
  auto bytes = to_binary(processes);
  bytes.replace(bytes.find("machine"), 7, "enclave");
  const auto read = from_binary<Processes>(bytes);
  REQUIRE(read);
  CHECK(read->processes.empty());
}

TEST_CASE("a small input does not take much memory") {
  const std::string namespaces = "namespaces", nothing(100'000, '\0');  // so many of them without a member
  const auto number = [](std::size_t value) {
    std::string bytes;
    for (; value >= 128; value /= 128) bytes += static_cast<char>(value % 128 + 128);
    return bytes + static_cast<char>(value);
  };
  const auto list = number(nothing.size()) + nothing;
  const auto bytes = number(1) + number(1) + number(namespaces.size()) + namespaces +  // version, names
                     number(1) + number(0) + number(list.size()) + list;
  CHECK_FALSE(from_binary<Snapshot>(bytes));
  Snapshot many;
  many.namespaces.resize(1000);
  CHECK(from_binary<Snapshot>(to_binary(many))->namespaces.size() == 1000);
}

TEST_CASE("a number that does not fit is refused") {
  CHECK(from_binary<Narrow>(to_binary(Old{.kept = 255}))->kept == 255);
  CHECK_FALSE(from_binary<Narrow>(to_binary(Old{.kept = 256})));
}

}  // namespace tcpdiag
