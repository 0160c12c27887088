// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/file.hpp"

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace signctl {

/// What to do when the target exists at commit.
enum class Existing { replace, refuse };

/// Who may read a new file.
enum class FileAccess { like_umask, owner_only };

/// Hears that the bytes below `end` have been copied.
using CopyListener = std::function<void(std::uint64_t end)>;

/// A file that appears under its final name completely or not at all.
///
/// It is written under a temporary name in the target's folder. Destroyed without commit(), it
/// leaves nothing behind; killed at any moment, it leaves at most the temporary file, whose name
/// starts with ".signctl-" and which the next run in that folder may remove. The target is resolved
/// through symbolic links first, so a link stays a link.
class AtomicFile {
 public:
  /// Creates the temporary file.
  ///
  /// @errors `output` when the folder does not exist or cannot be written, or the target exists and
  ///         is read-only or not a regular file; the hint names the path.
  static Result<AtomicFile> create(std::string_view target_utf8,
                                   Existing existing,
                                   FileAccess access = FileAccess::like_umask);

  AtomicFile(AtomicFile&&) noexcept;
  AtomicFile& operator=(AtomicFile&&) noexcept;
  ~AtomicFile();

  /// Path of the temporary file, UTF-8.
  [[nodiscard]] const std::string& temporary_path() const;

  /// Fills the file with the first `size` bytes of `source`, by the kernel where it can
  /// (copy_file_range, reflink, holes kept). Also takes over mode, owner where allowed, and
  /// extended attributes.
  ///
  /// @param copied  Told how far it got: first 0, once the file has its full size, and `size` at
  ///                the end at the latest.
  /// @errors `output` (disk full, ...) or `input` (source became shorter).
  Result<void> copy_from(const FileSource& source,
                         std::uint64_t size,
                         const CopyListener& copied = {});

  /// Writes at a position; the file grows as needed.
  Result<void> write_at(std::uint64_t offset, ByteView bytes);

  /// Cuts or extends the file to `size` bytes.
  Result<void> resize(std::uint64_t size);

  /// Makes the content durable (fsync). May run in another thread while the file is only read.
  Result<void> sync();

  /// Renames it to the target. Call sync() first. The name becomes durable when the file system
  /// next writes its journal; a power failure before that leaves the old file. Consumes the
  /// object's duty: the destructor then does nothing.
  ///
  /// @errors `output`; the target is then as it was.
  Result<void> commit();

 private:
  struct Impl;
  explicit AtomicFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Writes a small file atomically, sync included.
Result<void> write_file(std::string_view path_utf8,
                        ByteView bytes,
                        Existing existing,
                        FileAccess access = FileAccess::like_umask);

/// Removes temporary files of this process that are still there; async-signal-safe, for handlers.
void remove_temporary_files_on_signal() noexcept;

}  // namespace signctl
