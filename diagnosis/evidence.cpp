// SPDX-License-Identifier: Apache-2.0
#include "diagnosis/evidence.h"

#include "core/facts/tcp_counters.h"
#include "diagnosis/words.h"

namespace tcpdiag {

EvidenceName::EvidenceName(TcpCounter counter) : text(kernel_word(counter)) {}

void add_increase(Facts& facts, const Window& window, EvidenceName name, EvidenceNumber increase,
                  std::string_view unit) {
  facts.evidence.push_back({std::string(name.text), increase.value, std::string(unit), window.span()});
}

void add_reading(Facts& facts, EvidenceName name, EvidenceNumber reading, std::string_view unit) {
  facts.evidence.push_back({std::string(name.text), reading.value, std::string(unit), {}});
}

void add_increase(Facts& facts, const Window& window, EvidenceName name, ValueName value_name,
                  EvidenceNumber increase, std::string_view unit) {
  add_increase(facts, window, name, increase, unit);
  facts.values[value_name] = number_text(increase.value);
}

void add_reading(Facts& facts, EvidenceName name, ValueName value_name, EvidenceNumber reading,
                 std::string_view unit) {
  add_reading(facts, name, reading, unit);
  facts.values[value_name] = number_text(reading.value);
}

}  // namespace tcpdiag
