// SPDX-License-Identifier: Apache-2.0
// How rules put the numbers they rest on into words.
#pragma once

#include <concepts>
#include <string>
#include <string_view>

#include "core/section.h"
#include "diagnosis/rule.h"

namespace tcpdiag {

// NOLINTBEGIN(google-explicit-constructor): both are only written out where they are given
/// What a number of the evidence is called: a kernel's counter has the kernel's word.
struct EvidenceName {
  std::string_view text;

  EvidenceName(std::string_view name) : text(name) {}
  EvidenceName(const std::string& name) : text(name) {}
  EvidenceName(const char* name) : text(name) {}
  EvidenceName(TcpCounter counter);
};

/// Any number.
struct EvidenceNumber {
  double value;

  EvidenceNumber(double number) : value(number) {}
  template <std::integral T>
  EvidenceNumber(T number) : value(static_cast<double>(number)) {}
};
// NOLINTEND(google-explicit-constructor)

/// Puts an increase over the window among the evidence and, as {value_name}, among the values.
void add_increase(Facts& facts, const Window& window, EvidenceName name, ValueName value_name,
                  EvidenceNumber increase, std::string_view unit);

/// The same for a present reading.
void add_reading(Facts& facts, EvidenceName name, ValueName value_name, EvidenceNumber reading,
                 std::string_view unit);

/// The same, but only among the evidence.
void add_increase(Facts& facts, const Window& window, EvidenceName name, EvidenceNumber increase,
                  std::string_view unit);
void add_reading(Facts& facts, EvidenceName name, EvidenceNumber reading, std::string_view unit);

}  // namespace tcpdiag
