// SPDX-License-Identifier: Apache-2.0
#include "core/copy_posix.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/fs.h>
#include <sys/xattr.h>
#endif

#include "core/posix_error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace signctl {

namespace {

constexpr std::uint64_t kChunk = 8U << 20U;

/// A stretch of data between holes.
struct Extent {
  std::uint64_t begin{};
  std::uint64_t end{};
};

/// The next data at or after `offset`; empty (begin == end == size) when only a hole is left.
Extent next_data(const CopyJob& job, std::uint64_t offset) {
#ifdef SEEK_DATA
  const off_t data = ::lseek(job.from, static_cast<off_t>(offset), SEEK_DATA);
  if (data < 0) {
    // ENXIO: no more data. Anything else: the file system cannot tell, so all of it is data.
    return errno == ENXIO ? Extent{job.size, job.size} : Extent{offset, job.size};
  }
  const off_t hole = ::lseek(job.from, data, SEEK_HOLE);
  const auto begin = static_cast<std::uint64_t>(data);
  const auto end = hole < 0 ? job.size : static_cast<std::uint64_t>(hole);
  return {std::min(begin, job.size), std::min(end, job.size)};
#else
  return {offset, job.size};
#endif
}

bool share_extents(const CopyJob& job) {
#ifdef FICLONE
  struct stat facts {};
  return ::fstat(job.from, &facts) == 0 && static_cast<std::uint64_t>(facts.st_size) == job.size &&
         ::ioctl(job.to, FICLONE, job.from) == 0;
#else
  static_cast<void>(job);
  return false;
#endif
}

/// Bytes copied by the kernel from `offset`; -1 with errno.
ssize_t copy_in_kernel(const CopyJob& job, std::uint64_t offset, std::size_t count) {
#ifdef __linux__
  auto in = static_cast<off64_t>(offset);
  auto out = static_cast<off64_t>(offset);
  return ::copy_file_range(job.from, &in, job.to, &out, count, 0);
#else
  static_cast<void>(job), static_cast<void>(offset), static_cast<void>(count);
  errno = ENOSYS;
  return -1;
#endif
}

ssize_t copy_by_hand(const CopyJob& job, std::uint64_t offset, std::size_t count) {
  std::vector<std::byte> block(std::min<std::size_t>(count, 256U << 10U));
  const ssize_t got = ::pread(job.from, block.data(), block.size(), static_cast<off_t>(offset));
  if (got <= 0) {
    return got;
  }
  return ::pwrite(job.to, block.data(), static_cast<std::size_t>(got), static_cast<off_t>(offset));
}

bool is_unsupported(int code) {
  return code == ENOSYS || code == EXDEV || code == EINVAL || code == EOPNOTSUPP || code == EPERM;
}

void start_writing_out(const CopyJob& job, std::uint64_t offset, std::uint64_t count) {
#ifdef __linux__
  static_cast<void>(::sync_file_range(
      job.to, static_cast<off64_t>(offset), static_cast<off64_t>(count), SYNC_FILE_RANGE_WRITE));
#else
  static_cast<void>(job), static_cast<void>(offset), static_cast<void>(count);
#endif
}

}  // namespace

Result<void> copy_content(const CopyJob& job,
                          const std::string& from_path,
                          const std::string& to_path) {
  if (job.size == 0 || share_extents(job)) {
    return ok();
  }
  bool in_kernel = true;
  Extent extent = next_data(job, 0);
  std::uint64_t offset = extent.begin;
  while (offset < job.size) {
    if (offset >= extent.end) {
      extent = next_data(job, offset);
      offset = extent.begin;
      continue;
    }
    const auto count = static_cast<std::size_t>(std::min(extent.end - offset, kChunk));
    const ssize_t copied =
        in_kernel ? copy_in_kernel(job, offset, count) : copy_by_hand(job, offset, count);
    if (copied < 0 && in_kernel && is_unsupported(errno)) {
      in_kernel = false;
      continue;
    }
    if (copied < 0 && errno == EINTR) {
      continue;
    }
    if (copied < 0) {
      return posix_error(ErrorKind::output, "cannot copy to " + to_path, errno);
    }
    if (copied == 0) {
      return Error{ErrorKind::input,
                   from_path + " became shorter while it was being copied",
                   "wait until the build has finished with it and run again"};
    }
    start_writing_out(job, offset, static_cast<std::uint64_t>(copied));
    offset += static_cast<std::uint64_t>(copied);
  }
  if (::ftruncate(job.to, static_cast<off_t>(job.size)) != 0) {
    return posix_error(ErrorKind::output, "cannot copy to " + to_path, errno);
  }
  return ok();
}

void copy_attributes(const CopyJob& job) {
#ifdef __linux__
  std::array<char, 4096> names{};
  const ssize_t size = ::flistxattr(job.from, names.data(), names.size());
  for (ssize_t at = 0; at < size;) {
    const char* name = names.data() + at;
    std::array<char, 4096> value{};
    const ssize_t length = ::fgetxattr(job.from, name, value.data(), value.size());
    if (length >= 0) {
      static_cast<void>(
          ::fsetxattr(job.to, name, value.data(), static_cast<std::size_t>(length), 0));
    }
    at += static_cast<ssize_t>(std::string_view(name).size()) + 1;
  }
#else
  static_cast<void>(job);
#endif
}

}  // namespace signctl
