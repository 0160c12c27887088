// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace signctl {

/// A file that several processes append to and read, with locks on single octets of it.
///
/// The locks are advisory, belong to this object and end with it, or with the process. They may be
/// on octets far beyond the file's end: they stand for whatever the users agree on. Several threads
/// may use the object together; two of them do not lock each other out.
class AppendFile {
 public:
  /// Opens or creates it, readable by its owner only.
  ///
  /// @errors `output`.
  static Result<AppendFile> open(std::string_view path_utf8);

  AppendFile(AppendFile&&) noexcept;
  AppendFile& operator=(AppendFile&&) noexcept;
  ~AppendFile();

  /// Adds `bytes` at the end in one write.
  ///
  /// @errors `output`.
  Result<void> append(ByteView bytes);

  /// Waits until the disk has all that was appended before. May be called by several threads at
  /// once: they share the wait.
  ///
  /// @errors `output`.
  Result<void> sync() const;

  /// Everything from `offset` on; empty when the file is not that long.
  ///
  /// @errors `input`.
  Result<Bytes> read_from(std::uint64_t offset) const;

  [[nodiscard]] std::uint64_t size() const;
  /// Whether its name has been taken away, or given to another file.
  [[nodiscard]] bool is_replaced() const;

  /// Tries to lock `size` octets from `offset`. False when another process holds any of them.
  bool try_lock(std::uint64_t offset, std::uint64_t size);
  void unlock(std::uint64_t offset, std::uint64_t size);

 private:
  struct Impl;
  explicit AppendFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace signctl
