// SPDX-License-Identifier: Apache-2.0
// How settings are made to stay in a container: files in sysctl.d and limits of units do not reach into it.
#pragma once

#include <span>
#include <string_view>

#include "core/facts/netns_list.h"
#include "core/owner.h"
#include "core/snapshot.h"
#include "diagnosis/rule.h"

namespace tcpdiag {

/// The namespace of the container that the owner is; nullptr: it is none, or has no namespace of its own that
/// was found.
const FoundNetns* netns_of(const Snapshot& snapshot, const Owner& owner);

/// Of the container that the namespace belongs to: {compose_service}, {runtime}, and the flags {?of_run}
/// (docker or podman run made it, as far as is known), {?of_a_pod} (of Kubernetes) and {?boots} (it has an
/// init system that applies files in sysctl.d).
void add_container_values(Values& values, const FoundNetns& netns);

/// Whether lasting_sysctl_advice() knows how a setting lasts there.
bool can_last(const FoundNetns& netns);

/// Of a command such as "sysctl -w net.core.somaxconn=4096": {sysctl} and {sysctl_value}, and whether a pod
/// may have it: {?unsafe_in_pod}, or {safe_since} a version of Kubernetes. False: it is another command, or
/// sets what the machine has only once.
bool add_sysctl_values(Values& values, std::string_view command);

/// What makes such a setting last; at most one of them applies. They stand behind the command that makes it
/// at once.
std::span<const AdviceText> lasting_sysctl_advice();

}  // namespace tcpdiag
