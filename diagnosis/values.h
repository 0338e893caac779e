// SPDX-License-Identifier: Apache-2.0
// The values that the words of rules refer to as {name}. A name that no rule's words know does not compile.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace tcpdiag {

/// What stands between spaces.
struct Words {
  consteval Words(const char* text) {  // NOLINT(google-explicit-constructor): it is only written out
    for (std::string_view rest = text; !rest.empty();) {
      list.at(count++) = rest.substr(0, rest.find(' '));
      rest.remove_prefix(std::min(list.at(count - 1).size() + 1, rest.size()));
    }
  }
  [[nodiscard]] constexpr const std::string_view* begin() const { return list.data(); }
  [[nodiscard]] constexpr const std::string_view* end() const { return list.data() + count; }

  std::array<std::string_view, 64> list;
  std::size_t count = 0;
};

inline constexpr Words kOfEverySubject =
    "netns window listener destination address port process pid unit owner setting server_knob "
    "?of_the_host service user_service user session docker podman inside inner_unit machine pod "
    "compose_service runtime sysctl sysctl_value safe_since ?boots ?of_a_pod ?of_run ?unsafe_in_pod";
inline constexpr Words kOfAcceptQueue =
    "accepted ?bursts ?clamped clients close_wait closed doing first half_open idle idle_port knob "
    "length limit members new_backlog new_limit new_limits new_somaxconn open_fds overflows own_knob "
    "?own_limit pinned ?raise_backlog resets retries room running_pid sleeping_pid soft_limit somaxconn "
    "starter steady still stood stopped_pid stuck turned_away upstream upstream_connections waiting "
    "was_full worker worker_pid";
inline constexpr Words kOfRequests =
    "accepted doing longest ?more not_read stopped_pid upstream upstream_connections worker worker_pid";
inline constexpr Words kOfSynQueue =
    "again dropped from half_open limit ?lost max_syn_backlog new_backlog new_somaxconn new_syn_backlog "
    "received sent share somaxconn";
inline constexpr Words kOfClientSide =
    "bound ?elsewhere failed filtered first_service forecast gone_for gone_listener gone_owner interface "
    "left ?mostly_close_wait ?mostly_fin_wait2 new_timeout ?no_fin_wait2 ?no_time_wait opened ?own "
    "?own_gone own_length own_limit own_listener own_owner own_pid own_place own_port own_resets ports "
    "range rate refused_place refused_port refused_resets retransmitted retransmitted_to_all retries reuse "
    "services share source states strict_interfaces "
    "time_wait timeout used waiting when wider_range ?mostly_time_wait ?mostly_open fin_wait2 close_wait "
    "open";
inline constexpr Words kOfClosing =
    "aborted accepted age buckets client_port closed ?closes count ?either gave_up gone holder "
    "likely_owner limit limit_name local_port max most most_listener new_buckets new_limit new_limits "
    "new_max new_timeout only_listener open opened orphaned orphans overflows own_knob parts remote_port "
    "resets server_port share steady stopped time_wait timeout wait_channel";
inline constexpr Words kOfPath =
    "again age connections ?elsewhere first_peers gives_up lower_retries own_pid own_place own_port peers "
    "retransmits retries sent server_port ?several share sooner timeouts";
inline constexpr Words kOfDescriptors =
    "clients close_wait closed forecast idle idle_for idle_port knob max new_limit new_limits new_max "
    "none_left once open open_fds resets resets_window share soft_limit starter upstream "
    "upstream_connections";
inline constexpr Words kOfConnectionTracking =
    "dropped entries established_timeout evicted full_in inode limit lines new_buckets new_limit "
    "new_memory share";
inline constexpr Words kOfHost =
    "aborted backlog cpu dropped ?ipv4 ?ipv6 lines lone_cpu max most new1 new2 new3 new_backlog "
    "new_budget new_max new_pages prefix pressure pressures protocol ram share squeezed used";
inline constexpr Words kOfSettings =
    "asked begin bytes container default default_setting differences domain file first first_port flags "
    "gone ?hard harm harm_id ?in_part last_port line lines list login_file login_line meant more "
    "other_place others others_place pairs path pattern_place place ports ram ?reserved right_line "
    "right_login_limit right_section right_unit_line right_value searched ?soft tw_recycle unit_place "
    "unit_setting value vendor_place wanted who why";

/// What the words of a family's rules may refer to, with spaces between. A flag, which is there or not and is
/// asked for as {?name}, begins with "?". The first row is what every subject may have.
struct FamilyValues {
  std::string_view family;
  const Words& names;
};
inline constexpr FamilyValues kFamilyValues[] = {
    {"", kOfEverySubject},
    {"Accept queue", kOfAcceptQueue},
    {"Requests", kOfRequests},
    {"SYN queue", kOfSynQueue},
    {"Client side", kOfClientSide},
    {"Closing", kOfClosing},
    {"Path", kOfPath},
    {"Descriptors", kOfDescriptors},
    {"Connection tracking", kOfConnectionTracking},
    {"Host", kOfHost},
    {"Settings", kOfSettings},
};

constexpr bool lists(const Words& names, std::string_view name, bool as_flag) {
  for (const auto each : names)
    if (each.size() == name.size() + as_flag && each.starts_with('?') == as_flag &&
        each.substr(as_flag) == name)
      return true;
  return false;
}

constexpr bool is_in_any_family(std::string_view name, bool as_flag) {
  for (const auto& row : kFamilyValues)
    if (lists(row.names, name, as_flag)) return true;
  return false;
}

/// Whether the words of that family may refer to a value of that name, or to a flag when it is `asked` for.
constexpr bool may_refer_to(std::string_view family, std::string_view name, bool asked) {
  for (const auto& row : kFamilyValues)
    if ((row.family.empty() || row.family == family) &&
        (lists(row.names, name, false) || (asked && lists(row.names, name, true))))
      return true;
  return false;
}

// NOLINTBEGIN(google-explicit-constructor): a name is only written out
/// The name of a value in some family's words.
struct ValueName {
  consteval ValueName(const char* name) : text(name) {
    if (!is_in_any_family(text, false)) throw "kFamilyValues has no value of this name";
  }
  std::string_view text;
};

/// The name of a flag in some family's words.
struct FlagName {
  consteval FlagName(const char* name) : text(name) {
    if (!is_in_any_family(text, true)) throw "kFamilyValues has no flag of this name";
  }
  std::string_view text;
};
// NOLINTEND(google-explicit-constructor)

/// Values and flags by name.
class Values : public std::map<std::string, std::string, std::less<>> {
 public:
  using std::map<std::string, std::string, std::less<>>::map;

  std::string& operator[](ValueName name) { return try_emplace(std::string(name.text)).first->second; }
  void flag(FlagName name) { try_emplace(std::string(name.text)); }
  /// Unless it is empty, or there already.
  void offer(ValueName name, const std::string& value) {
    if (!value.empty()) try_emplace(std::string(name.text), value);
  }
};

}  // namespace tcpdiag
