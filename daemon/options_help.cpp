// SPDX-License-Identifier: Apache-2.0
#include "daemon/options_help.h"

#include <array>
#include <string_view>

#include "collectors/catalog.h"
#include "daemon/option_table.h"

namespace tcpdiag {
namespace {

constexpr std::array kPlainFlags = {
    PlainFlag{"--config.file=FILE",
              "Configuration file to read. Flags override what it says. SIGHUP reads it again."},
    PlainFlag{"--config.check",
              "Say whether the flags and the configuration file are valid, and exit: 0 yes, 2 no."},
    PlainFlag{"--version", "Print the version and exit."},
    PlainFlag{"--help, -h", "Print this text and exit."},
};

std::string flag_of(const OptionRow& row) {
  const std::string flag(row.flag);
  return row.placeholder.empty() ? flag : flag + "=" + std::string(row.placeholder);
}

}  // namespace

std::span<const PlainFlag> plain_flags() { return kPlainFlags; }

std::string options_help() {
  std::string text =
      "Usage: tcpdiagd [flags]\nWatches the TCP stack of this host, says why connections fail and what to "
      "change, and shows it to\nPrometheus. It changes nothing on the host.\n\n";
  for (const auto& row : option_table()) {
    const bool repeatable = std::holds_alternative<ListOption>(row.kind);
    text += "  " + flag_of(row) + "\n      " + std::string(row.help) + "\n";
    if (!std::holds_alternative<CollectorsOption>(row.kind)) {
      text += "      Allowed: " + allowed_by(row) + ".\n      Default: " + shown(row, Options{}) + "." +
              (repeatable ? " May be given several times." : "") + "\n";
      continue;
    }
    text += "      NAME is one of:";
    for (const auto& collector : collector_catalog()) text += " " + std::string(collector.name);
    text += "\n      Default: all of them run.\n";
  }
  for (const auto& flag : kPlainFlags)
    text += "  " + std::string(flag.flag) + "\n      " + std::string(flag.help) + "\n";
  text.pop_back();
  return text;
}

}  // namespace tcpdiag
