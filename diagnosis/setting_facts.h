// SPDX-License-Identifier: Apache-2.0
// What the lint of settings says about a sysctl: its value, a better one, and what sets it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/facts/host_config.h"
#include "core/facts/settings.h"
#include "core/sysctls.h"
#include "diagnosis/rule.h"
#include "diagnosis/window.h"

namespace tcpdiag {

/// A sysctl's number. Empty: this kernel or namespace does not have it, so there is nothing to judge. Errors:
/// the settings, or this one, cannot be read.
Result<std::optional<std::int64_t>> number_if_any(const Window& window, std::string_view name,
                                                  std::size_t field = 0);

/// A finding's facts about a present sysctl that had better be `wanted`, in the file's form ("1", "4096 16384
/// 4194304"). For the words there are {value}, {wanted}, and of the advice below what
/// applies.
Facts setting_facts(const Window& window, std::string_view name, const std::string& wanted);

/// The line that sets it at boot, or nullptr: the last one that names it, else the last pattern that fits, as
/// far as no later "-NAME" takes it out.
const SysctlLine* line_that_sets(const HostConfig& config, std::string_view name);

/// What numbers the kernel with these settings takes for a sysctl.
SysctlBounds bounds_of(const Settings& settings, const SysctlSpec& spec);

/// One of the settings as the line leaves it: what the line does not give stays as it is now. Empty: the
/// kernel refuses what the line gives.
std::optional<Sysctl> after_line(const Settings& settings, const Sysctl& now, const SysctlLine& line);

/// Whether both values mean the same, however they are written.
bool same_value(const Sysctl& one, const Sysctl& other);

/// A value as it is compared and shown: one blank between its parts, whether blanks or tabs were there.
std::string single_blanks(std::string_view value);

/// "/etc/sysctl.d/60-tcp.conf:3", fit to be shown.
std::string place_of(const SysctlLine& line);

/// How the wanted value is made to stay; one or two of these apply, by what sets the present one. They stand
/// behind the rule's own advice.
inline constexpr AdviceText kChangeLine{"Change line {line} of {file}, which sets it at every boot.",
                                        "{setting} = {wanted}", "It survives a reboot.", "",
                                        CommandKind::file_line};
inline constexpr AdviceText kOverrideLine{"Override {vendor_place}, which sets it at every boot.",
                                          "echo '{setting} = {wanted}' >> /etc/sysctl.d/zz-tcp.conf",
                                          "It survives a reboot.",
                                          "An update of the package leaves the override in place."};
inline constexpr AdviceText kOverridePattern{
    "Give {setting} a line of its own: the pattern in {pattern_place} sets it at every boot.",
    "echo '{setting} = {wanted}' >> /etc/sysctl.d/zz-tcp.conf",
    "It survives a reboot: a key given by its name takes precedence over any pattern.", ""};
inline constexpr AdviceText kFindChanger{"Find what changed it: {other_place} asks for {asked}.",
                                         "grep -rIns {setting} /etc /usr/lib/tuned",
                                         "A boot script, a tuning service or a person has set it since.", ""};
inline constexpr AdviceText kFindSetter{"Find what sets it: no line of {searched} does.",
                                        "grep -rIns {setting} /etc /usr/lib/tuned",
                                        "Unless a boot script or tuning service sets it, it goes back to the "
                                        "kernel's default after a reboot.",
                                        ""};
inline constexpr AdviceText kTellContainer{
    "If this is a container's namespace, give the container its value when it starts ({container}).",
    "--sysctl {setting}={wanted}", "It is set before the first process of the container runs.", ""};

}  // namespace tcpdiag
