// SPDX-License-Identifier: Apache-2.0
#include "daemon/host_names.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "core/text.h"
#include "daemon/config_file.h"

namespace tcpdiag {
namespace {

using Names = std::vector<std::string>;

bool has(const Names& names, std::string_view name) { return std::ranges::find(names, name) != names.end(); }

void add(Names& names, std::string name) {
  constexpr std::size_t kMostNames = 200;
  if (!name.empty() && names.size() < kMostNames && !has(names, name)) names.push_back(std::move(name));
}

std::string_view without_comment(std::string_view line) { return line.substr(0, line.find_first_of("#;")); }

Names searched_domains(std::string_view resolv_conf) {
  Names domains;
  while (!resolv_conf.empty()) {
    auto line = without_comment(next_line(resolv_conf));
    const auto key = next_word(line);
    if (key != "search" && key != "domain") continue;
    for (auto word = next_word(line); !word.empty(); word = next_word(line))
      if (word != ".") add(domains, std::string(word));
  }
  return domains;
}

/// The names of a line of /etc/hosts, which begins with their address.
Names names_of_line(std::string_view line) {
  Names names;
  line = without_comment(line);
  next_word(line);
  for (auto word = next_word(line); !word.empty(); word = next_word(line)) add(names, std::string(word));
  return names;
}

std::string text_or_empty(const std::string& path) { return read_config_file(path).value_or(std::string()); }

}  // namespace

std::vector<std::string> host_names(std::string_view hostname, std::string_view hosts,
                                    std::string_view resolv_conf) {
  Names names;
  if (hostname.empty()) return names;
  const auto first = std::string(hostname.substr(0, hostname.find('.')));
  add(names, std::string(hostname));
  add(names, first);
  for (const auto& domain : searched_domains(resolv_conf)) add(names, first + "." + domain);
  add(names, first + ".local");
  while (!hosts.empty()) {
    const auto of_line = names_of_line(next_line(hosts));
    if (std::ranges::any_of(of_line, [&](const auto& name) { return name == hostname || name == first; }))
      for (const auto& name : of_line) add(names, name);
  }
  return names;
}

std::vector<std::string> read_host_names() {
  std::array<char, 256> hostname{};
  if (gethostname(hostname.data(), hostname.size() - 1) != 0) return {};
  return host_names(hostname.data(), text_or_empty("/etc/hosts"), text_or_empty("/etc/resolv.conf"));
}

}  // namespace tcpdiag
