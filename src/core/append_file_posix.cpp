// SPDX-License-Identifier: Apache-2.0
#include "core/append_file.hpp"
#include "core/path.hpp"
#include "core/posix_error.hpp"
#include "core/text.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace signctl {

struct AppendFile::Impl {
  Descriptor file;
  std::string path;
};

namespace {

// Locks of the open file, not of the process, where there are such (Linux).
#if defined(F_OFD_SETLK)
constexpr int kSetLock = F_OFD_SETLK;
#else
constexpr int kSetLock = F_SETLK;
#endif

bool set_lock(int file, short kind, std::uint64_t offset, std::uint64_t size) {
  struct flock lock {};
  lock.l_type = kind;
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(offset);
  lock.l_len = static_cast<off_t>(size);
  return retry_interrupted([&] { return ::fcntl(file, kSetLock, &lock); }) == 0;
}

bool is_link(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode);
}

}  // namespace

AppendFile::AppendFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AppendFile::AppendFile(AppendFile&&) noexcept = default;
AppendFile& AppendFile::operator=(AppendFile&&) noexcept = default;
AppendFile::~AppendFile() = default;

Result<AppendFile> AppendFile::open(std::string_view path_utf8) {
  auto impl = std::make_unique<Impl>();
  impl->path = std::string(path_utf8);
  const int number = retry_interrupted([&] {
    return ::open(impl->path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  });
  if (number < 0 && errno == ELOOP && is_link(impl->path)) {
    return Error{
        ErrorKind::output,
        "cannot open " + printable(path_utf8) + ": it is a symbolic link, which is not followed",
        "name the file that it leads to"};
  }
  if (number < 0) {
    return write_error(errno, "cannot open " + printable(path_utf8), path_utf8);
  }
  impl->file = Descriptor(number);
  struct stat status {};
  if (::fstat(number, &status) != 0 || !S_ISREG(status.st_mode)) {
    return Error{ErrorKind::output, printable(path_utf8) + " is not a regular file"};
  }
  return AppendFile(std::move(impl));
}

Result<void> AppendFile::append(ByteView bytes) {
  const auto written =
      retry_interrupted([&] { return ::write(impl_->file.get(), bytes.data(), bytes.size()); });
  if (written < 0) {
    return write_error(errno, "cannot write to " + printable(impl_->path), impl_->path);
  }
  if (static_cast<std::size_t>(written) != bytes.size()) {
    return write_error(
        ENOSPC, "cannot write all of an entry to " + printable(impl_->path), impl_->path);
  }
  return ok();
}

Result<void> AppendFile::sync() const {
#if defined(__APPLE__)
  const int synced = ::fsync(impl_->file.get());
#else
  const int synced = ::fdatasync(impl_->file.get());
#endif
  if (synced != 0) {
    return write_error(
        errno, "cannot write " + printable(impl_->path) + " to the disk", impl_->path);
  }
  return ok();
}

std::uint64_t AppendFile::size() const {
  struct stat status {};
  return ::fstat(impl_->file.get(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

bool AppendFile::is_replaced() const {
  struct stat ours {};
  struct stat named {};
  return ::fstat(impl_->file.get(), &ours) != 0 || ::stat(impl_->path.c_str(), &named) != 0 ||
         ours.st_dev != named.st_dev || ours.st_ino != named.st_ino;
}

Result<Bytes> AppendFile::read_from(std::uint64_t offset) const {
  const std::uint64_t end = size();
  Bytes bytes(offset < end ? static_cast<std::size_t>(end - offset) : 0);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto got = retry_interrupted([&] {
      return ::pread(impl_->file.get(),
                     bytes.data() + done,
                     bytes.size() - done,
                     static_cast<off_t>(offset + done));
    });
    if (got < 0) {
      return read_error(errno, "cannot read " + printable(impl_->path), impl_->path);
    }
    if (got == 0) {
      break;
    }
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

bool AppendFile::try_lock(std::uint64_t offset, std::uint64_t size) {
  return set_lock(impl_->file.get(), F_WRLCK, offset, size);
}

void AppendFile::unlock(std::uint64_t offset, std::uint64_t size) {
  (void)set_lock(impl_->file.get(), F_UNLCK, offset, size);
}

}  // namespace signctl
