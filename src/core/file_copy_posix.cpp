// SPDX-License-Identifier: Apache-2.0
#include "core/file_copy.hpp"
#include "core/file_posix.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <limits>
#include <unistd.h>
#if defined(__linux__)
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#endif

namespace signctl {

namespace {

/// One step of a copy. Small enough that the disk starts writing while the next step is read.
constexpr std::uint64_t kLargestStep = std::uint64_t{4} << 20U;
/// Up to here there is nothing to gain from claiming room or having the disk start early: two calls
/// cost more than they save, and a full disk shows with the write.
constexpr std::uint64_t kSmall = std::uint64_t{1} << 20U;
/// Buffer when the kernel cannot copy by itself.
constexpr std::size_t kBufferSize = std::size_t{1} << 20U;

struct Range {
  std::uint64_t begin{};
  std::uint64_t end{};
};

/// The two ends of a copy.
struct Copy {
  const FileSource& source;
  int target;
  const std::string& target_path;
  const CopyListener& copied;

  void tell(std::uint64_t end) const {
    if (copied) {
      copied(end);
    }
  }
  [[nodiscard]] int source_fd() const { return source.impl().descriptor.get(); }
  [[nodiscard]] Error failed_write(int code) const {
    return write_error(code, "cannot write " + printable(target_path), target_path);
  }
};

/// Whether the source still has as many bytes as are to be copied.
Result<void> check_not_shorter(const Copy& copy, std::uint64_t size) {
  struct stat status {};
  if (fstat(copy.source_fd(), &status) != 0) {
    return read_error(errno, "cannot look at " + printable(copy.source.path()), copy.source.path());
  }
  if (static_cast<std::uint64_t>(status.st_size) < size) {
    return Error{ErrorKind::input,
                 printable(copy.source.path()) + " became shorter while it was being copied",
                 "let nothing else write to it while signctl runs"};
  }
  return ok();
}

/// Has the disk begin with what was just written, so that the later fsync has little left to do.
void start_writeback([[maybe_unused]] int target, [[maybe_unused]] Range range) {
#if defined(__linux__)
  if (range.end <= kSmall) {
    return;
  }
  static_cast<void>(sync_file_range(target,
                                    static_cast<off_t>(range.begin),
                                    static_cast<off_t>(range.end - range.begin),
                                    SYNC_FILE_RANGE_WRITE));
#endif
}

/// Failures that reading and writing would meet as well.
bool is_final(int failure) {
  return failure == ENOSPC || failure == EDQUOT || failure == EFBIG || failure == EIO ||
         failure == EROFS;
}

/// Claims the room on the disk before anything is written: a full disk shows at once, before a
/// signature is spent, and writing is cheaper. Holes stay holes.
Result<void> reserve([[maybe_unused]] const Copy& copy, [[maybe_unused]] std::uint64_t size) {
#if defined(__linux__)
  if (size <= kSmall || copy.source.impl().sparse) {
    return ok();
  }
  const int result =
      retry_interrupted([&] { return fallocate(copy.target, 0, 0, static_cast<off_t>(size)); });
  if (result != 0 && is_final(errno)) {
    return copy.failed_write(errno);
  }
#endif
  return ok();
}

/// Shares the source's blocks with the target (Btrfs, XFS, bcachefs and others).
bool try_reflink([[maybe_unused]] const Copy& copy) {
#if defined(__linux__) && defined(FICLONE)
  return ioctl(copy.target, FICLONE, copy.source_fd()) == 0;
#else
  return false;
#endif
}

/// The next range with data from `offset`, cut to `size`; begin == size when only a hole is left.
Range next_data([[maybe_unused]] const Copy& copy, std::uint64_t offset, std::uint64_t size) {
#if defined(SEEK_DATA) && defined(SEEK_HOLE)
  // The file position moves, but nothing in signctl reads by position.
  const off_t data = lseek(copy.source_fd(), static_cast<off_t>(offset), SEEK_DATA);
  if (data < 0) {
    // ENXIO: no data after offset. Anything else: the file system does not know about holes.
    return errno == ENXIO ? Range{size, size} : Range{offset, size};
  }
  const off_t hole = lseek(copy.source_fd(), data, SEEK_HOLE);
  const std::uint64_t end = hole < 0 ? size : static_cast<std::uint64_t>(hole);
  return {std::min(static_cast<std::uint64_t>(data), size), std::min(end, size)};
#else
  return {offset, size};
#endif
}

/// How far the kernel got, and whether it is worth asking it again.
struct KernelStep {
  std::uint64_t copied{};
  int failure{};  ///< errno; 0 for none.
};

KernelStep kernel_copy([[maybe_unused]] const Copy& copy, [[maybe_unused]] Range range) {
#if defined(__linux__)
  auto from = static_cast<off_t>(range.begin);
  auto to = static_cast<off_t>(range.begin);
  const auto count = static_cast<std::size_t>(std::min(range.end - range.begin, kLargestStep));
  const ssize_t copied = retry_interrupted(
      [&] { return copy_file_range(copy.source_fd(), &from, copy.target, &to, count, 0); });
  return copied < 0 ? KernelStep{0, errno} : KernelStep{static_cast<std::uint64_t>(copied), 0};
#else
  return {0, ENOSYS};
#endif
}

Result<void> copy_by_hand(const Copy& copy, Range range) {
  Bytes buffer(
      static_cast<std::size_t>(std::min<std::uint64_t>(kBufferSize, range.end - range.begin)));
  std::uint64_t written = range.begin;
  while (range.begin < range.end) {
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), range.end - range.begin));
    const std::span<std::uint8_t> part(buffer.data(), count);
    SIGNCTL_CHECK(copy.source.read_at(range.begin, part), "");
    SIGNCTL_CHECK(write_fully(copy.target, range.begin, part, copy.target_path), "");
    range.begin += count;
    copy.tell(range.begin);
    if (range.begin - written >= kLargestStep || range.begin == range.end) {
      start_writeback(copy.target, {written, range.begin});
      written = range.begin;
    }
  }
  return ok();
}

Result<void> copy_range(const Copy& copy, Range range) {
  while (range.begin < range.end) {
    const KernelStep step = kernel_copy(copy, range);
    if (is_final(step.failure)) {
      return copy.failed_write(step.failure);
    }
    if (step.copied == 0) {
      // Refused (other file system, old kernel), or at the end of a source that became shorter,
      // which reading will find out.
      return copy_by_hand(copy, range);
    }
    start_writeback(copy.target, {range.begin, range.begin + step.copied});
    range.begin += step.copied;
    copy.tell(range.begin);
  }
  return ok();
}

Result<void> copy_data(const Copy& copy, std::uint64_t size) {
  const bool sparse = copy.source.impl().sparse;
  std::uint64_t offset = 0;
  while (offset < size) {
    const Range range = sparse ? next_data(copy, offset, size) : Range{offset, size};
    SIGNCTL_CHECK(copy_range(copy, range), "");
    offset = range.end;
    copy.tell(offset);
  }
  return ok();
}

Result<void> set_size(const Copy& copy, std::uint64_t size) {
  const int result =
      retry_interrupted([&] { return ftruncate(copy.target, static_cast<off_t>(size)); });
  if (result != 0) {
    return copy.failed_write(errno);
  }
  return ok();
}

#if defined(__linux__)
/// Integrity measurements and capabilities belong to the old content.
bool is_carried_over(std::string_view name) {
  return name != "security.ima" && name != "security.evm" && name != "security.capability";
}
#endif

}  // namespace

Result<void> write_fully(int target,
                         std::uint64_t offset,
                         ByteView bytes,
                         const std::string& target_path) {
  static constexpr auto kLargestOffset =
      static_cast<std::uint64_t>(std::numeric_limits<off_t>::max());
  if (offset > kLargestOffset || bytes.size() > kLargestOffset - offset) {
    return write_error(EFBIG, "cannot write " + printable(target_path), target_path);
  }
  while (!bytes.empty()) {
    const ssize_t written = retry_interrupted(
        [&] { return pwrite(target, bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
    if (written < 0) {
      return write_error(errno, "cannot write " + printable(target_path), target_path);
    }
    offset += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return ok();
}

Result<void> copy_content(const FileSource& source,
                          std::uint64_t size,
                          int target,
                          const std::string& target_path,
                          const CopyListener& copied) {
  const Copy copy{source, target, target_path, copied};
  SIGNCTL_CHECK(check_not_shorter(copy, size), "");
  const bool shared = try_reflink(copy);
  if (!shared) {
    SIGNCTL_CHECK(reserve(copy, size), "");
  }
  // Also makes the last hole, and cuts a reflink, which takes the whole file.
  SIGNCTL_CHECK(set_size(copy, size), "");
  copy.tell(shared ? size : 0);
  if (!shared) {
    SIGNCTL_CHECK(copy_data(copy, size), "");
  }
  return check_not_shorter(copy, size);
}

std::vector<ExtendedAttribute> read_extended_attributes([[maybe_unused]] int file) {
  std::vector<ExtendedAttribute> attributes;
#if defined(__linux__)
  // Most files have none, so the size is asked for first. A list that grows in between is left out.
  const ssize_t needed = flistxattr(file, nullptr, 0);
  std::string names(needed > 0 ? static_cast<std::size_t>(needed) : 0, '\0');
  const ssize_t size = names.empty() ? 0 : flistxattr(file, names.data(), names.size());
  names.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  for (std::size_t at = 0; at < names.size();) {
    const std::string name(names.c_str() + at);
    at += name.size() + 1;
    const ssize_t wanted = is_carried_over(name) ? fgetxattr(file, name.c_str(), nullptr, 0) : -1;
    if (wanted < 0) {
      continue;
    }
    std::string value(static_cast<std::size_t>(wanted), '\0');
    if (fgetxattr(file, name.c_str(), value.data(), value.size()) == wanted) {
      attributes.emplace_back(name, std::move(value));
    }
  }
#endif
  return attributes;
}

void write_extended_attributes([[maybe_unused]] int file,
                               const std::vector<ExtendedAttribute>& attributes) {
  for ([[maybe_unused]] const auto& [name, value] : attributes) {
#if defined(__linux__)
    static_cast<void>(fsetxattr(file, name.c_str(), value.data(), value.size(), 0));
#endif
  }
}

}  // namespace signctl
