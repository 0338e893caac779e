// SPDX-License-Identifier: Apache-2.0
#include "exporters/gzip.h"

#include <zlib.h>

#include <array>
#include <stdexcept>

namespace tcpdiag {
namespace {

constexpr int kGzipWindow = 15 + 16;

// zlib only reads it
Bytef* bytes_of(std::string_view text) { return reinterpret_cast<Bytef*>(const_cast<char*>(text.data())); }

}  // namespace

struct Gzip::Stream {
  z_stream zlib{};
};

void Gzip::End::operator()(Stream* stream) const {
  deflateEnd(&stream->zlib);
  delete stream;
}

Gzip::Gzip() : stream_(new Stream) {
  if (deflateInit2(&stream_->zlib, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("zlib: no memory");
}

void Gzip::deflate(std::string_view text, int flush) {
  auto& zlib = stream_->zlib;
  zlib.next_in = bytes_of(text);
  zlib.avail_in = static_cast<uInt>(text.size());
  std::array<char, 16384> piece;
  do {
    zlib.next_out = reinterpret_cast<Bytef*>(piece.data());
    zlib.avail_out = static_cast<uInt>(piece.size());
    if (::deflate(&zlib, flush) == Z_STREAM_ERROR) throw std::runtime_error("zlib: deflate failed");
    compressed_.append(piece.data(), piece.size() - zlib.avail_out);
  } while (zlib.avail_out == 0);
}

void Gzip::add(std::string_view text) { deflate(text, Z_NO_FLUSH); }

std::string Gzip::finish() {
  deflate({}, Z_FINISH);
  compressed_.shrink_to_fit();
  return std::move(compressed_);
}

std::string gzip(std::string_view text) {
  Gzip file;
  file.add(text);
  return file.finish();
}

struct Gunzip::Stream {
  z_stream zlib{};
  bool ended = false;
};

void Gunzip::End::operator()(Stream* stream) const {
  inflateEnd(&stream->zlib);
  delete stream;
}

Gunzip::Gunzip(std::shared_ptr<const std::string> file) : file_(std::move(file)), stream_(new Stream) {
  if (inflateInit2(&stream_->zlib, kGzipWindow) != Z_OK) throw std::runtime_error("zlib: no memory");
  stream_->zlib.next_in = bytes_of(*file_);
  stream_->zlib.avail_in = static_cast<uInt>(file_->size());
}

std::size_t Gunzip::read(char* to, std::size_t most) {
  if (stream_->ended) return 0;
  auto& zlib = stream_->zlib;
  zlib.next_out = reinterpret_cast<Bytef*>(to);
  zlib.avail_out = static_cast<uInt>(most);
  const int status = inflate(&zlib, Z_NO_FLUSH);
  stream_->ended = status == Z_STREAM_END;
  if (status != Z_OK && status != Z_STREAM_END) throw std::runtime_error("zlib: the page is damaged");
  return most - zlib.avail_out;
}

}  // namespace tcpdiag
