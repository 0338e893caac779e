// SPDX-License-Identifier: Apache-2.0
// What the commands write, and the exit status that follows from it.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "collectors/source.h"
#include "core/report.h"
#include "core/result.h"

namespace tcpdiag {

/// Says on standard error why it failed. The exit status of a failure.
int fail(const Error& error);

/// Says on standard error what is wrong with the command line. The exit status of a mistake.
int mistake(const Error& error);

/// Writes to standard output. 0, or that of a failure.
int show(const std::string& text);

/// Shows what was found and says what could not be read; fails when one of the collectors that answer the
/// question did.
int answer(const Report& report, std::initializer_list<std::string_view> decisive, const std::string& text);

/// Reads this machine as seen from that namespace; empty: the program's own.
std::unique_ptr<Source> live_source(const std::string& netns = {});

}  // namespace tcpdiag
