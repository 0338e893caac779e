// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "collectors/source.h"

namespace tcpdiag {

/// The container's name in the command line of the conmon that podman started for it (conmon(8), --name),
/// if it is that of the container with this id. Empty: it is no conmon's, or of another container.
std::optional<std::string> parse_conmon_name(std::string_view cmdline, std::string_view id);

/// The same of the conmon above `pid`, a process of the container, if it is a process of `user`. Rootless
/// podman's own notes are in a user's home, where a service may not look; this is the user's word as well.
std::optional<std::string> name_by_conmon(Source& source, std::int32_t pid, std::string_view id,
                                          std::uint32_t user);

}  // namespace tcpdiag
