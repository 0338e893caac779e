// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/evidence.h"

#include <string>

#include "diagnosis/words.h"

namespace tcpdiag {
namespace {

void add(Facts& facts, Evidence evidence, std::string_view value_name) {
  facts.values[std::string(value_name)] = number_text(evidence.value);
  facts.evidence.push_back(std::move(evidence));
}

}  // namespace

void add_increase(Facts& facts, const Window& window, std::string_view name, std::string_view value_name,
                  double increase, std::string_view unit) {
  add(facts, {std::string(name), increase, std::string(unit), window.span()}, value_name);
}

void add_reading(Facts& facts, std::string_view name, std::string_view value_name, double reading,
                 std::string_view unit) {
  add(facts, {std::string(name), reading, std::string(unit), {}}, value_name);
}

}  // namespace tcpdiag
