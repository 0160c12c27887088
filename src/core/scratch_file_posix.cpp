// SPDX-License-Identifier: Apache-2.0
#include "core/path.hpp"
#include "core/posix_error.hpp"
#include "core/scratch_file.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <unistd.h>

namespace signctl {

namespace {

constexpr mode_t kOwnerOnly = 0600;
constexpr std::size_t kLargestTransfer = std::size_t{1} << 30U;

/// A new file without a name, or with one that is gone by the time this returns.
int open_nameless(const std::string& folder) {
#if defined(O_TMPFILE)
  // Not every file system can; then with a name for a moment.
  if (const int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, kOwnerOnly);
      fd >= 0) {
    return fd;
  }
#endif
  std::string name = folder + "/.signctl-XXXXXX";
  const int fd = ::mkstemp(name.data());
  if (fd >= 0) {
    ::unlink(name.c_str());
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
  return fd;
}

}  // namespace

struct ScratchFile::Impl {
  Descriptor descriptor;
  std::string folder;
  std::uint64_t size{};
};

ScratchFile::ScratchFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ScratchFile::~ScratchFile() = default;

Result<std::unique_ptr<ScratchFile>> ScratchFile::create() {
  std::error_code failure;
  const std::filesystem::path folder = std::filesystem::temp_directory_path(failure);
  if (failure) {
    return Error{ErrorKind::output,
                 "there is no folder for temporary files",
                 "let TMPDIR name a folder that exists and can be written"};
  }
  auto impl = std::make_unique<Impl>();
  impl->folder = to_utf8(folder);
  impl->descriptor = Descriptor(open_nameless(impl->folder));
  if (!impl->descriptor.is_open()) {
    return write_error(errno,
                       "cannot make a temporary file in " + printable(impl->folder),
                       impl->folder + "/temporary");
  }
  return std::unique_ptr<ScratchFile>(new ScratchFile(std::move(impl)));
}

Result<void> ScratchFile::append(ByteView bytes) {
  while (!bytes.empty()) {
    const std::size_t wanted = std::min(bytes.size(), kLargestTransfer);
    const ssize_t written = retry_interrupted([&] {
      return pwrite(impl_->descriptor.get(), bytes.data(), wanted, static_cast<off_t>(impl_->size));
    });
    if (written <= 0) {
      return write_error(written < 0 ? errno : EIO,
                         "cannot write a temporary file in " + printable(impl_->folder),
                         impl_->folder + "/temporary");
    }
    impl_->size += static_cast<std::uint64_t>(written);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return ok();
}

Result<void> ScratchFile::read_at(std::uint64_t offset, std::span<std::uint8_t> out) const {
  while (!out.empty()) {
    const std::size_t wanted = std::min(out.size(), kLargestTransfer);
    const ssize_t got = retry_interrupted([&] {
      return pread(impl_->descriptor.get(), out.data(), wanted, static_cast<off_t>(offset));
    });
    if (got <= 0) {
      return read_error(got < 0 ? errno : EIO,
                        "cannot read a temporary file in " + printable(impl_->folder),
                        impl_->folder);
    }
    offset += static_cast<std::uint64_t>(got);
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return ok();
}

}  // namespace signctl
