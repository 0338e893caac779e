// SPDX-License-Identifier: Apache-2.0
// The only place that makes commands. Whatever stands in one is the template's own words or a value that is
// quoted here, so a command can be copied into a shell whoever chose the values.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "diagnosis/rule.h"

namespace tcpdiag {

/// The command of an advice. Empty: it has none, a value is not known, or it cannot be shown so that a shell
/// does that and nothing else: a value holds control characters, would be taken for an option or for the
/// name of a program, or stands in quotes and is more than a plain word there.
std::string command_of(const AdviceText& advice, const Values& values);

/// `command` as it has to be run for the namespace `netns`, a name or path as entry_of() gives it: each of
/// its programs about the network runs inside of it. Empty: the name cannot be put into a command.
std::string in_netns(const std::string& command, std::string_view netns);

}  // namespace tcpdiag
