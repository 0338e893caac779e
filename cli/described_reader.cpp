// SPDX-License-Identifier: Apache-2.0
#include "cli/described_reader.h"

#include "core/time_text.h"

namespace tcpdiag {

void DescribedReader::complain(const std::string& place, std::string_view what) {
  if (wrong_.empty()) wrong_ = (place.empty() ? "the answer" : place) + ": " + std::string(what);
}

std::string DescribedReader::place_of(const std::string& place, std::string_view name) {
  return (place.empty() ? "" : place + ".") + std::string(name);
}

bool DescribedReader::is_object(const Json& json, const std::string& place) {
  if (!json.is_object()) complain(place, "not an object");
  return json.is_object();
}

void DescribedReader::read(const Json& json, std::string& text, const std::string& place) {
  if (!json.is_string()) return complain(place, "not a text");
  text = json.get<std::string>();
}

void DescribedReader::read(const Json& json, bool& flag, const std::string& place) {
  if (!json.is_boolean()) return complain(place, "neither true nor false");
  flag = json.get<bool>();
}

void DescribedReader::read(const Json& json, double& number, const std::string& place) {
  if (!json.is_number()) return complain(place, "not a number");
  number = json.get<double>();
}

void DescribedReader::read(const Json& json, WallTime& time, const std::string& place) {
  std::string text;
  read(json, text, place);
  if (const auto moment = parse_rfc3339(text))
    time = *moment;
  else
    complain(place, "not a time");
}

void DescribedReader::read(const Json& json, std::chrono::seconds& time, const std::string& place) {
  std::int32_t count = 0;
  read(json, count, place);
  time = std::chrono::seconds(count);
}

void DescribedReader::read(const Json& json, Errc& code, const std::string& place) {
  std::string text;
  read(json, text, place);
  code = Errc::not_read;
  for (const auto each : values_of(Type<Errc>{}))
    if (text == to_string(each)) code = each;
}

// An older daemon says nothing of its kind.
void DescribedReader::read_owner(const Json& object, Owner& owner, const std::string& place) {
  std::string label;
  read_member(object, "unit", label, place);
  if (label.empty()) return;
  auto kind = OwnerKind::other;
  read_member(object, "unit_kind", kind, place);
  owner = named_owner(kind, label);
}

}  // namespace tcpdiag
