// SPDX-License-Identifier: Apache-2.0
#include "collectors/netns_mounts.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <tuple>
#include <vector>

namespace tcpdiag {
namespace {

// ip-netns(8), CRI-O, podman and containerd's default; Docker; Docker's snap; containerd told to use its own.
constexpr std::array<std::string_view, 4> kDirectories = {"/run/netns/", "/run/docker/netns/",
                                                          "/run/snap.docker/netns/",
                                                          "/run/containerd/io.containerd.grpc.v1.cri/netns/"};

std::vector<std::string> paths_of(Source& source) {
  std::vector<std::string> paths;
  for (const auto directory : kDirectories) {
    const auto names = source.list(std::string(directory.substr(0, directory.size() - 1)));
    if (!names) continue;  // not used on this host, or denied
    for (const auto& name : *names) paths.push_back(std::string(directory) + name);
  }
  std::ranges::sort(paths);
  paths.resize(std::min(paths.size(), NetnsMounts::kMost));
  return paths;
}

std::string_view name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// "0f3c2e4a-9d1b-4c1e-8a55-0123456789ab", or twelve digits of an id or more.
bool ends_like_an_id(std::string_view name) {
  constexpr std::size_t kShortestId = 12;
  const auto other = name.find_last_not_of("0123456789abcdef");
  return name.size() - (other == std::string_view::npos ? 0 : other + 1) >= kShortestId;
}

}  // namespace

void NetnsMounts::look(Source& source) {
  std::map<std::string, Mount> found;
  for (auto& path : paths_of(source)) {
    const auto known = mounts_.find(path);
    if (known != mounts_.end())
      found.emplace(std::move(path), Mount{.file = std::move(known->second.file), .joined = false});
    else
      found.emplace(path, Mount{.file = source.netns_at(path), .joined = true});
  }
  mounts_ = std::move(found);

  auto mount = mounts_.upper_bound(read_until_);
  for (std::size_t i = 0; i < std::min(mounts_.size(), kReadAgain); ++i, ++mount) {
    if (mount == mounts_.end()) mount = mounts_.begin();
    if (!mount->second.joined) confirm(source, mount->first, mount->second);
    read_until_ = mount->first;
  }
}

bool NetnsMounts::confirm(Source& source, const std::string& path, Mount& mount) {
  auto now = source.netns_at(path);
  const bool is_same = now && mount.file && *now == *mount.file;
  if (!is_same) mount = {.file = std::move(now), .joined = true};
  return is_same;
}

bool is_better_mount(const std::string& a, const std::string& b) {
  const auto rank = [](const std::string& path) {
    const auto* directory = std::ranges::find_if(kDirectories, [&](auto d) { return path.starts_with(d); });
    return std::tuple(directory, is_made_mount(path), path);
  };
  return rank(b) < rank(a);
}

bool is_made_mount(const std::string& path) {
  return !path.starts_with(kDirectories.front()) || name_of(path).starts_with("cni-") ||
         ends_like_an_id(name_of(path));
}

}  // namespace tcpdiag
