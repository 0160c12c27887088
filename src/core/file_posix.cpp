// SPDX-License-Identifier: Apache-2.0
#include "core/file_posix.hpp"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <unistd.h>
#include <utility>

namespace signctl {

FileIdentity identity_of(const struct stat& facts) {
#ifdef __APPLE__
  const auto& time = facts.st_mtimespec;
#else
  const auto& time = facts.st_mtim;
#endif
  return {static_cast<std::uint64_t>(facts.st_dev),
          static_cast<std::uint64_t>(facts.st_ino),
          static_cast<std::uint64_t>(facts.st_size),
          std::int64_t{time.tv_sec} * 1'000'000'000 + std::int64_t{time.tv_nsec}};
}

FileSource::FileSource(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FileSource::~FileSource() = default;

Result<std::shared_ptr<FileSource>> FileSource::open(std::string_view path_utf8) {
  const std::string path(path_utf8);
  // O_NONBLOCK keeps a named pipe from hanging the open; it means nothing for regular files.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) {
    return posix_error(ErrorKind::input, "cannot open " + path, errno);
  }
  auto impl = std::make_unique<Impl>(descriptor, path);
  if (::fstat(descriptor, &impl->facts) != 0) {
    return posix_error(ErrorKind::input, "cannot look at " + path, errno);
  }
  if (S_ISDIR(impl->facts.st_mode)) {
    return Error{ErrorKind::input, path + " is a directory, not a file", "name the files in it"};
  }
  if (!S_ISREG(impl->facts.st_mode)) {
    return Error{ErrorKind::input, path + " is not a regular file"};
  }
  impl->identity = identity_of(impl->facts);
#ifndef __APPLE__
  ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
#endif
  return std::shared_ptr<FileSource>(new FileSource(std::move(impl)));
}

std::uint64_t FileSource::size() const {
  return impl_->identity.size;
}

Result<void> FileSource::read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
  std::size_t done = 0;
  while (done < out.size()) {
    const auto got = ::pread(impl_->descriptor.get(),
                             out.data() + done,
                             out.size() - done,
                             static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0) {
      return posix_error(ErrorKind::input, "cannot read " + impl_->path, errno);
    }
    if (got == 0) {
      return Error{ErrorKind::input,
                   impl_->path + " ends at offset " + std::to_string(offset + done) +
                       ", before what its headers promise"};
    }
    done += static_cast<std::size_t>(got);
  }
  return ok();
}

const std::string& FileSource::path() const {
  return impl_->path;
}

const FileIdentity& FileSource::identity() const {
  return impl_->identity;
}

Result<FileIdentity> FileSource::identity_now() const {
  struct stat facts {};
  if (::stat(impl_->path.c_str(), &facts) != 0) {
    return posix_error(ErrorKind::input, "cannot look at " + impl_->path, errno);
  }
  return identity_of(facts);
}

}  // namespace signctl
