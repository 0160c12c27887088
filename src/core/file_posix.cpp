// SPDX-License-Identifier: Apache-2.0
#include "core/file_posix.hpp"

#include "core/path.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <fcntl.h>
#include <limits>
#include <unistd.h>

namespace signctl {

namespace {

/// One pread takes at most this much; Linux would stop a little below 2 GiB anyway.
constexpr std::size_t kLargestRead = std::size_t{1} << 30U;

/// Asking whether a range is a hole costs about as much as reading this.
constexpr std::size_t kWorthAsking = std::size_t{64} << 10U;

/// Whether no byte of the range has ever been written. Reading it would fill the page cache with
/// zeros, which takes several times longer than hashing them.
bool is_hole([[maybe_unused]] int file,
             [[maybe_unused]] std::uint64_t offset,
             [[maybe_unused]] std::size_t size) {
#if defined(SEEK_DATA)
  // The file position moves, but nothing in signctl reads by position.
  const off_t data = lseek(file, static_cast<off_t>(offset), SEEK_DATA);
  if (data >= 0) {
    return static_cast<std::uint64_t>(data) >= offset + size;
  }
  // ENXIO: no data from here to the end, wherever that is by now.
  struct stat status {};
  return errno == ENXIO && fstat(file, &status) == 0 &&
         static_cast<std::uint64_t>(status.st_size) >= offset + size;
#else
  return false;
#endif
}

Error not_a_file(std::string_view path_utf8, const std::string& kind) {
  Error error{ErrorKind::input,
              "cannot open " + printable(path_utf8) + ": it is " + kind + ", not a regular file"};
  error.hint = kind == "a folder" ? "name the files in it, or a pattern such as " +
                                        printable(path_utf8) + "/**/*.exe"
                                  : "copy its content to a file first";
  return error;
}

const timespec& modified_at(const struct stat& status) {
#if defined(__APPLE__)
  return status.st_mtimespec;
#else
  return status.st_mtim;
#endif
}

Result<void> check_path(std::string_view path_utf8) {
  if (path_utf8.empty()) {
    return Error{ErrorKind::input, "cannot open a file: the path is empty", "name a file"};
  }
  if (path_utf8.find('\0') != std::string_view::npos) {
    return Error{ErrorKind::input,
                 "cannot open " + printable(path_utf8) + ": the path has a zero byte in it"};
  }
  return ok();
}

}  // namespace

FileIdentity identity_of(const struct stat& status) {
  const timespec& modified = modified_at(status);
  return {static_cast<std::uint64_t>(status.st_dev),
          static_cast<std::uint64_t>(status.st_ino),
          static_cast<std::uint64_t>(status.st_size),
          static_cast<std::int64_t>(modified.tv_sec) * 1'000'000'000 + modified.tv_nsec};
}

std::string special_kind(const struct stat& status) {
  if (S_ISREG(status.st_mode)) {
    return "";
  }
  if (S_ISDIR(status.st_mode)) {
    return "a folder";
  }
  if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) {
    return "a device";
  }
  if (S_ISFIFO(status.st_mode)) {
    return "a pipe";
  }
  if (S_ISSOCK(status.st_mode)) {
    return "a socket";
  }
  return "a special file";
}

bool has_holes(const struct stat& status) {
  // POSIX leaves the unit of st_blocks open; everywhere signctl runs it is 512.
  return static_cast<std::uint64_t>(status.st_blocks) * 512 <
         static_cast<std::uint64_t>(status.st_size);
}

FileSource::FileSource(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FileSource::~FileSource() = default;

Result<std::shared_ptr<FileSource>> FileSource::open(std::string_view path_utf8) {
  SIGNCTL_CHECK(check_path(path_utf8), "");
  const std::string path(path_utf8);
  const std::string what = "cannot open " + printable(path);
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    return read_error(errno, what, path);
  }
  // Looked at before it is opened: opening a device or a pipe may do something or wait.
  if (const std::string kind = special_kind(status); !kind.empty()) {
    return not_a_file(path, kind);
  }
  Descriptor descriptor(retry_interrupted(
      [&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); }));
  if (!descriptor.is_open()) {
    return read_error(errno, what, path);
  }
  if (fstat(descriptor.get(), &status) != 0) {
    return read_error(errno, what, path);
  }
  if (const std::string kind = special_kind(status); !kind.empty()) {
    return not_a_file(path, kind);
  }
#if defined(POSIX_FADV_SEQUENTIAL)
  // Only advice: without it, reading is slower.
  static_cast<void>(posix_fadvise(descriptor.get(), 0, 0, POSIX_FADV_SEQUENTIAL));
#endif
  auto impl = std::make_unique<Impl>();
  impl->descriptor = std::move(descriptor);
  impl->path = path;
  impl->identity = identity_of(status);
  impl->sparse = has_holes(status);
  return std::shared_ptr<FileSource>(new FileSource(std::move(impl)));
}

std::uint64_t FileSource::size() const {
  return impl_->identity.size;
}

const std::string& FileSource::path() const {
  return impl_->path;
}

const FileIdentity& FileSource::identity() const {
  return impl_->identity;
}

Result<void> FileSource::read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
  const std::uint64_t end = impl_->identity.size;
  if (offset > end || out.size() > end - offset) {
    return Error{ErrorKind::input,
                 printable(impl_->path) + ": " + std::to_string(out.size()) + " bytes at offset " +
                     std::to_string(offset) + " reach past the end at " + std::to_string(end)};
  }
  if (impl_->sparse && out.size() >= kWorthAsking &&
      is_hole(impl_->descriptor.get(), offset, out.size())) {
    std::fill(out.begin(), out.end(), std::uint8_t{0});
    return ok();
  }
  // Below the file's size, which the system gave as off_t, so no offset can leave its range.
  while (!out.empty()) {
    const std::size_t wanted = std::min(out.size(), kLargestRead);
    const ssize_t got = retry_interrupted([&] {
      return pread(impl_->descriptor.get(), out.data(), wanted, static_cast<off_t>(offset));
    });
    if (got < 0) {
      return read_error(errno, "cannot read " + printable(impl_->path), impl_->path);
    }
    if (got == 0) {
      return Error{ErrorKind::input,
                   printable(impl_->path) + " became shorter while it was being read",
                   "let nothing else write to it while signctl runs"};
    }
    offset += static_cast<std::uint64_t>(got);
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return ok();
}

Result<FileIdentity> identity_at(std::string_view path_utf8) {
  const std::string path(path_utf8);
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    return read_error(errno, "cannot look at " + printable(path) + " again", path);
  }
  return identity_of(status);
}

Result<FileIdentity> FileSource::identity_now() const {
  return identity_at(impl_->path);
}

}  // namespace signctl
