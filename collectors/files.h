// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "collectors/source.h"
#include "core/file_descriptor.h"
#include "core/result.h"

namespace tcpdiag {

/// Opens a file for reading, and never waits for it: where a FIFO stands instead, reading it fails. `path`
/// stands in the error.
Result<FileDescriptor> open_file(const std::string& path);

/// The whole content from its beginning, at most `most` bytes (too_large). `path` stands in the error.
Result<std::string> read_whole(const FileDescriptor& file, const std::string& path, std::size_t most);

/// As Source::list, at most 2^20 names.
Result<std::vector<std::string>> list_directory(const std::string& path);

/// As Source::link.
Result<std::string> read_link(const std::string& path);

/// As Source::socket_protocol.
Result<std::string> read_socket_protocol(const std::string& path);

/// As Source::size.
Result<std::uint64_t> file_size(const std::string& path);

/// As Source::owner.
Result<std::uint32_t> file_owner(const std::string& path);

/// As Source::netns_at.
Result<NetnsFile> netns_in_file(const std::string& path);
Result<NetnsFile> netns_in_file(const FileDescriptor& file, const std::string& path);

}  // namespace tcpdiag
