// SPDX-License-Identifier: Apache-2.0
#include "core/atomic_file.hpp"
#include "core/copy_posix.hpp"
#include "core/file_posix.hpp"
#include "core/path.hpp"
#include "core/temporary_names_posix.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <climits>

namespace signctl {

namespace {

constexpr mode_t kAnyWrite = S_IWUSR | S_IWGRP | S_IWOTH;
constexpr mode_t kPermissions = 07777;

/// Follows symbolic links to what will really be replaced.
std::string resolve(const std::string& target) {
  std::array<char, PATH_MAX> resolved{};
  return ::realpath(target.c_str(), resolved.data()) != nullptr ? resolved.data() : target;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
}

mode_t mode_for_new_file(FileAccess access) {
  if (access == FileAccess::owner_only) {
    return S_IRUSR | S_IWUSR;
  }
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666U & ~mask;
}

std::string unique_part() {
  static std::atomic<unsigned> counter{0};
  struct timespec now {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::to_string(::getpid()) + "-" + std::to_string(now.tv_nsec) + "-" +
         std::to_string(counter.fetch_add(1));
}

/// Refuses what must not be replaced.
Result<void> check_target(const std::string& target, const struct stat& facts, Existing existing) {
  if (!S_ISREG(facts.st_mode)) {
    return Error{ErrorKind::output, target + " is not a regular file", "choose another output"};
  }
  if (existing == Existing::refuse) {
    return Error{ErrorKind::output,
                 target + " exists already",
                 "choose another name, or move it away first"};
  }
  // The folder's permissions would let us replace it all the same, root even more so; a read-only
  // mark is somebody's wish, though.
  if ((facts.st_mode & kAnyWrite) == 0 || ::access(target.c_str(), W_OK) != 0) {
    return Error{ErrorKind::output,
                 target + " is read-only",
                 "make it writable (chmod u+w) if it is meant to be changed"};
  }
  return ok();
}

}  // namespace

struct AtomicFile::Impl {
  Impl(int opened, std::string temporary_path, std::string target_path, Existing rule)
      : descriptor(opened),
        temporary(std::move(temporary_path)),
        target(std::move(target_path)),
        existing(rule) {
    remember_temporary(temporary);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (!committed) {
      ::unlink(temporary.c_str());
    }
    forget_temporary(temporary);
  }

  FileDescriptor descriptor;
  std::string temporary;
  std::string target;
  Existing existing;
  bool committed{false};
};

AtomicFile::AtomicFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AtomicFile::AtomicFile(AtomicFile&&) noexcept = default;
AtomicFile& AtomicFile::operator=(AtomicFile&&) noexcept = default;
AtomicFile::~AtomicFile() = default;

Result<AtomicFile> AtomicFile::create(std::string_view target_utf8,
                                      Existing existing,
                                      FileAccess access) {
  const std::string target = resolve(std::string(target_utf8));
  struct stat facts {};
  const bool exists = ::stat(target.c_str(), &facts) == 0;
  if (exists) {
    SIGNCTL_CHECK(check_target(target, facts, existing), "");
  }
  const std::string folder = folder_of(target);
  remove_stale_temporaries(folder);
  const std::string temporary = folder + "/.signctl-" + unique_part() + ".tmp";
  const int descriptor =
      ::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor < 0) {
    return posix_error(ErrorKind::output, "cannot write in the folder of " + target, errno);
  }
  auto impl = std::make_unique<Impl>(descriptor, temporary, target, existing);
  const mode_t mode = exists && access == FileAccess::like_umask ? facts.st_mode & kPermissions
                                                                 : mode_for_new_file(access);
  if (exists && ::fchown(descriptor, facts.st_uid, facts.st_gid) != 0) {
    // Only root may give files away; the file then belongs to whoever signs.
    errno = 0;
  }
  if (::fchmod(descriptor, mode) != 0) {
    return posix_error(ErrorKind::output, "cannot set the mode of " + temporary, errno);
  }
  return AtomicFile(std::move(impl));
}

const std::string& AtomicFile::temporary_path() const {
  return impl_->temporary;
}

Result<void> AtomicFile::copy_from(const FileSource& source, std::uint64_t size) {
  const auto& from = source.impl();
  const CopyJob job{from.descriptor.get(), impl_->descriptor.get(), size};
  SIGNCTL_CHECK(copy_content(job, from.path, impl_->temporary), "");
  copy_attributes(job);
  struct stat facts {};
  if (::stat(impl_->target.c_str(), &facts) != 0) {
    // A new name for the same program: it should be as executable as it was.
    ::fchmod(impl_->descriptor.get(), from.facts.st_mode & 0777U);
  }
  return ok();
}

Result<void> AtomicFile::write_at(std::uint64_t offset, ByteView bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto put = ::pwrite(impl_->descriptor.get(),
                              bytes.data() + done,
                              bytes.size() - done,
                              static_cast<off_t>(offset + done));
    if (put < 0 && errno != EINTR) {
      return posix_error(ErrorKind::output, "cannot write beside " + impl_->target, errno);
    }
    done += put > 0 ? static_cast<std::size_t>(put) : 0;
  }
  return ok();
}

Result<void> AtomicFile::resize(std::uint64_t size) {
  if (::ftruncate(impl_->descriptor.get(), static_cast<off_t>(size)) != 0) {
    return posix_error(ErrorKind::output, "cannot resize the copy of " + impl_->target, errno);
  }
  return ok();
}

Result<void> AtomicFile::sync() {
  if (::fsync(impl_->descriptor.get()) != 0) {
    return posix_error(
        ErrorKind::output, "cannot write the copy of " + impl_->target + " to disk", errno);
  }
  return ok();
}

Result<void> AtomicFile::commit() {
  const char* temporary = impl_->temporary.c_str();
  const char* target = impl_->target.c_str();
  if (impl_->existing == Existing::refuse) {
    // link() fails if the name is taken, which rename() would not.
    if (::link(temporary, target) != 0) {
      return posix_error(ErrorKind::output, "cannot create " + impl_->target, errno);
    }
    ::unlink(temporary);
  } else if (::rename(temporary, target) != 0) {
    return posix_error(ErrorKind::output, "cannot replace " + impl_->target, errno);
  }
  impl_->committed = true;
  const FileDescriptor folder(
      ::open(folder_of(impl_->target).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() >= 0) {
    // Some file systems cannot sync folders; the rename is then as durable as they make it.
    static_cast<void>(::fsync(folder.get()));
  }
  return ok();
}

}  // namespace signctl
