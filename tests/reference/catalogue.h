// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace tcpdiag {

using Json = nlohmann::ordered_json;

/// docs/reference/catalogue.json: what the programs' tables say of themselves, and all that pages, alerts,
/// dashboards, man pages and completions are made from. Words stand as the rules have them, with {names} and
/// [brackets]. What is empty or does not apply is an empty text or list; a time that there is not is null.
///
///     metrics     of /metrics, in its order
///     findings    with all their words, family by family
///     thresholds  where the rules draw their lines
///     servers     programs whose accept queue is set by a knob of their own
///     collectors  what each reads
///     daemon      `options`, which are keys of the configuration file and flags, and `flags` without a key
///     command     `commands` of tcpdiag, and the `flags` of several of them
///
/// `words` are what may be typed: a flag ends with an = where a value follows.
Json catalogue();

/// A text of an object of the catalogue.
inline std::string_view text_of(const Json& row, const char* key) {
  return row.at(key).get_ref<const std::string&>();
}

}  // namespace tcpdiag
