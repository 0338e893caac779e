// SPDX-License-Identifier: Apache-2.0
#include "core/binary_form.h"

#include "core/sections.h"
#include "core/sysctls.h"

namespace tcpdiag::detail {
namespace {

constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kGrowth = 64, kSmall = 1 << 20;

// Of the sections, which are all that a collector fills.
std::string_view known_collector(std::string_view name) {
  std::string_view known;
  const auto look = [&]<class T>(const auto&, const Section<T>&) {
    if (collector_of(Type<T>{}) == name) known = collector_of(Type<T>{});
  };
  for_each_section(Snapshot{}, look);
  for_each_section(NetnsView{}, look);
  return known;
}

std::string number_text(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7U) bytes += static_cast<char>(value | 0x80U);
  return bytes + static_cast<char>(value);
}

}  // namespace

void BinaryWriter::put_number(std::uint64_t value) { bytes_ += number_text(value); }

void BinaryWriter::put(std::string_view text) {
  put_number(text.size());
  bytes_ += text;
}

void BinaryWriter::put(const TcpCounters& counters) {
  Members members;
  for (const auto& spec : tcp_counter_table()) add(members, spec.name, counters.*spec.member);
  put_members(members);
}

void BinaryWriter::add_bytes(Members& members, std::string_view name, const std::string& bytes) {
  ++members.count;
  members.bytes += number_text(place_of(name)) + number_text(bytes.size()) + bytes;
}

void BinaryWriter::put_members(const Members& members) {
  put_number(members.count);
  bytes_ += members.bytes;
}

std::uint64_t BinaryWriter::place_of(std::string_view name) {
  const auto [known, is_new] = places_.try_emplace(std::string(name), names_.size());
  if (is_new) names_.emplace_back(name);
  return known->second;
}

std::string BinaryWriter::finish() {
  const auto value = std::exchange(bytes_, {});
  put_number(kVersion);
  put_list(names_);
  return std::exchange(bytes_, {}) + value;
}

BinaryReader::BinaryReader(std::string_view bytes) : bytes_(bytes), budget_(kGrowth * bytes.size() + kSmall) {
  if (take_number() != kVersion) fail();
  const auto count = take_count();
  for (std::uint64_t i = 0; i < count && !failed_; ++i) names_.push_back(take_text());
}

void BinaryReader::fail() {
  failed_ = true;
  bytes_ = {};
}

std::uint64_t BinaryReader::take_number() {
  constexpr unsigned kBits = 64, kBitsOfByte = 7;
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < kBits && !bytes_.empty(); shift += kBitsOfByte) {
    const auto byte = static_cast<unsigned char>(bytes_.front());
    bytes_.remove_prefix(1);
    if (shift == kBits - 1 && byte > 1) break;  // beyond 64 bits
    value |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return value;
  }
  fail();
  return 0;
}

std::uint64_t BinaryReader::take_count() {
  const auto count = take_number();
  if (count <= bytes_.size()) return count;
  fail();
  return 0;
}

std::string_view BinaryReader::take_text() {
  const auto text = bytes_.substr(0, take_count());
  bytes_.remove_prefix(text.size());
  return text;
}

std::string_view BinaryReader::name_at(std::uint64_t place) {
  if (place < names_.size()) return names_[place];
  fail();
  return {};
}

void BinaryReader::take(std::string_view& name) {
  const auto text = take_text();
  const auto* sysctl = find_sysctl(text);
  name = sysctl != nullptr ? sysctl->name : known_collector(text);
}

void BinaryReader::take(TcpCounters& counters) {
  take_members([&](std::string_view name) {
    for (const auto& spec : tcp_counter_table())
      if (spec.name == name) take(counters.*spec.member);
  });
}

}  // namespace tcpdiag::detail
