// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace signctl {

/// What tells that a file is still the one we opened.
struct FileIdentity {
  std::uint64_t device{};
  std::uint64_t inode{};
  std::uint64_t size{};
  std::int64_t modified_ns{};
  bool operator==(const FileIdentity&) const = default;
};

/// What is on disk under a path now.
///
/// @errors `input` when there is nothing.
Result<FileIdentity> identity_at(std::string_view path_utf8);

/// A file opened for reading by path. `read_at` is positional, so threads may share it.
class FileSource final : public ByteSource {
 public:
  /// @errors `input` when it does not exist, is not a regular file (said for directories), or may
  ///         not be read; the hint says which.
  static Result<std::shared_ptr<FileSource>> open(std::string_view path_utf8);

  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  ~FileSource() override;

  [[nodiscard]] std::uint64_t size() const override;
  Result<void> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override;

  [[nodiscard]] const std::string& path() const;
  /// As it was when opened.
  [[nodiscard]] const FileIdentity& identity() const;
  /// As it is on disk under the same path now; `input` when it has gone.
  Result<FileIdentity> identity_now() const;

  struct Impl;
  [[nodiscard]] const Impl& impl() const { return *impl_; }

 private:
  explicit FileSource(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// An in-memory source; keeps its own copy.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(Bytes bytes) : bytes_(std::move(bytes)) {}
  [[nodiscard]] std::uint64_t size() const override { return bytes_.size(); }
  Result<void> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override;

 private:
  Bytes bytes_;
};

/// The whole of a small file.
///
/// @errors `input` as for FileSource::open, and when it is larger than `limit`.
Result<Bytes> read_file(std::string_view path_utf8, std::size_t limit);

/// `size` bytes of a source from `offset`.
Result<Bytes> read_bytes(const ByteSource& source, std::uint64_t offset, std::uint64_t size);

}  // namespace signctl
