// SPDX-License-Identifier: Apache-2.0
#include "core/assert.hpp"
#include "core/atomic_file.hpp"
#include "core/file_copy.hpp"
#include "core/file_mode_posix.hpp"
#include "core/file_posix.hpp"
#include "core/log.hpp"
#include "core/path.hpp"
#include "core/replaceable_posix.hpp"
#include "core/stale_files.hpp"
#include "core/temporary_files.hpp"
#include "core/text.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <fcntl.h>
#include <fstream>
#include <limits>
#include <random>
#include <unistd.h>

namespace signctl {

namespace fs = std::filesystem;

namespace {

constexpr mode_t kPermissions = 07777;

/// What the file gets just before it is renamed.
struct Attributes {
  std::optional<mode_t> mode;  ///< Empty for that of a new file.
  std::optional<std::pair<uid_t, gid_t>> owner;
  std::vector<ExtendedAttribute> extended;
};

/// The umask, without changing it where the system tells it otherwise.
mode_t read_umask() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    static constexpr std::string_view kKey = "Umask:\t";
    constexpr int kOctal = 8;
    unsigned mask = 0;
    const char* const end = line.data() + line.size();
    if (line.starts_with(kKey) &&
        std::from_chars(line.data() + kKey.size(), end, mask, kOctal).ec == std::errc{}) {
      return static_cast<mode_t>(mask);
    }
  }
  // Another thread that makes a file right now gets a stricter mode, never a looser one.
  const mode_t mask = umask(077);
  umask(mask);
  return mask;
}

mode_t process_umask() {
  static const mode_t mask = read_umask();
  return mask;
}

std::string random_name() {
  std::array<std::uint8_t, 8> random{};
  if (getentropy(random.data(), random.size()) != 0) {
    // Uniqueness is enough: O_EXCL refuses a name that somebody guessed.
    static std::minstd_rand fallback(static_cast<unsigned>(getpid()));
    for (auto& byte : random) {
      byte = static_cast<std::uint8_t>(fallback());
    }
  }
  return ".signctl-" + std::to_string(getpid()) + "-" + to_hex(random) + ".tmp";
}

#if defined(__linux__)
/// True when done, false when the file system cannot; errno says why.
bool rename_to_new_name(const std::string& from, const std::string& to) {
  return renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0;
}
#else
bool rename_to_new_name(const std::string& from, const std::string& to) {
  return renamex_np(from.c_str(), to.c_str(), RENAME_EXCL) == 0;
}
#endif

/// Renames without ever replacing anything. 0 or an errno.
int rename_refusing(const std::string& from, const std::string& to) {
  if (rename_to_new_name(from, to)) {
    return 0;
  }
  if (errno != ENOSYS && errno != EINVAL && errno != ENOTSUP) {
    return errno;
  }
  if (link(from.c_str(), to.c_str()) != 0) {
    return errno;
  }
  static_cast<void>(unlink(from.c_str()));
  return 0;
}

}  // namespace

struct AtomicFile::Impl {
  std::string target;  ///< After links were followed.
  std::string folder;  ///< Of the target.
  std::string temporary;
  Existing existing{};
  FileAccess access{};
  Attributes attributes;
  Descriptor descriptor;
  std::optional<TemporaryFileSlot> slot;
  bool present{false};  ///< The temporary file exists and is ours to remove.

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { discard(); }

  Result<void> open_temporary();
  void discard() noexcept;
  void apply_attributes() const;
  Result<void> check_still_ours() const;

  [[nodiscard]] Error failure(int code) const {
    return write_error(code, "cannot write " + printable(target), target);
  }
};

Result<void> AtomicFile::Impl::open_temporary() {
  static constexpr int kTries = 16;
  for (int i = 0; i < kTries && !present; ++i) {
    temporary = to_utf8(to_path(folder) / random_name());
    // Listed before it exists, so that no signal can come in between and leave it behind.
    slot = enter_temporary_file(to_path(temporary));
    // Nobody else may touch the file while it is checked; the final mode comes with the commit.
    descriptor = Descriptor(retry_interrupted([&] {
      return ::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    }));
    const int code = errno;
    present = descriptor.is_open();
    if (!present && slot) {
      leave_temporary_file(*slot);
      slot.reset();
    }
    if (!present && code != EEXIST) {
      return failure(code);
    }
  }
  if (!present) {
    return failure(EEXIST);
  }
  return ok();
}

void AtomicFile::Impl::discard() noexcept {
  if (present) {
    static_cast<void>(unlink(temporary.c_str()));
    present = false;
  }
  if (slot) {
    leave_temporary_file(*slot);
    slot.reset();
  }
  descriptor.close();
}

/// Best effort, as cp -p does it: a file that cannot be given away stays ours.
void AtomicFile::Impl::apply_attributes() const {
  mode_t mode = attributes.mode ? *attributes.mode : 0666 & ~process_umask();
  if (attributes.owner) {
    const auto [user, group] = *attributes.owner;
    const bool all = fchown(descriptor.get(), user, group) == 0;
    const bool its_group =
        all || group == getegid() || fchown(descriptor.get(), static_cast<uid_t>(-1), group) == 0;
    mode = mode_of_successor(mode,
                             all         ? KeptOwner::user_and_group
                             : its_group ? KeptOwner::group
                                         : KeptOwner::nothing);
  }
  write_extended_attributes(descriptor.get(), attributes.extended);
  static_cast<void>(fchmod(descriptor.get(), mode));
}

/// What the gate read through the temporary name must be what this object wrote.
Result<void> AtomicFile::Impl::check_still_ours() const {
  struct stat by_name {};
  struct stat by_descriptor {};
  if (lstat(temporary.c_str(), &by_name) != 0) {
    return write_error(
        errno, "the temporary file of " + printable(target) + " has gone", temporary);
  }
  if (fstat(descriptor.get(), &by_descriptor) != 0) {
    return failure(errno);
  }
  if (by_name.st_dev != by_descriptor.st_dev || by_name.st_ino != by_descriptor.st_ino) {
    return Error{ErrorKind::output,
                 "the temporary file of " + printable(target) + " was replaced by something else",
                 "find out which program writes to " + printable(folder)};
  }
  return ok();
}

AtomicFile::AtomicFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AtomicFile::AtomicFile(AtomicFile&&) noexcept = default;
AtomicFile& AtomicFile::operator=(AtomicFile&&) noexcept = default;
AtomicFile::~AtomicFile() = default;

Result<AtomicFile> AtomicFile::create(std::string_view target_utf8,
                                      Existing existing,
                                      FileAccess access) {
  if (target_utf8.empty() || target_utf8.find('\0') != std::string_view::npos) {
    return Error{ErrorKind::output,
                 "cannot write \"" + printable(target_utf8) + "\": that is not a file name"};
  }
  const fs::path named = to_path(target_utf8);
  if (existing == Existing::refuse) {
    // A link under that name counts as well, wherever it leads.
    SIGNCTL_TRY([[maybe_unused]] const auto none, check_target(to_utf8(named), existing), "");
  }
  SIGNCTL_TRY(const fs::path target, resolve_links(named), "");

  auto impl = std::make_unique<Impl>();
  impl->target = to_utf8(target);
  impl->folder = target.has_parent_path() ? to_utf8(target.parent_path()) : ".";
  impl->existing = existing;
  impl->access = access;
  SIGNCTL_TRY(const auto replaced, check_target(impl->target, existing), "");
  if (replaced) {
    impl->attributes.mode = replaced->st_mode & kPermissions;
  }
  if (access == FileAccess::owner_only) {
    impl->attributes.mode = S_IRUSR | S_IWUSR;
  } else if (replaced) {
    impl->attributes.owner = {replaced->st_uid, replaced->st_gid};
  }
  remove_stale_temporary_files(impl->folder);
  SIGNCTL_CHECK(impl->open_temporary(), "");
  return AtomicFile(std::move(impl));
}

const std::string& AtomicFile::temporary_path() const {
  SIGNCTL_ASSERT(impl_ != nullptr);
  return impl_->temporary;
}

Result<void> AtomicFile::copy_from(const FileSource& source,
                                   std::uint64_t size,
                                   const CopyListener& copied) {
  SIGNCTL_ASSERT(impl_ != nullptr && impl_->present);
  struct stat status {};
  if (fstat(source.impl().descriptor.get(), &status) != 0) {
    return read_error(errno, "cannot look at " + printable(source.path()), source.path());
  }
  if (impl_->access == FileAccess::like_umask) {
    impl_->attributes.mode = status.st_mode & kPermissions;
    impl_->attributes.owner = {status.st_uid, status.st_gid};
  }
  impl_->attributes.extended = read_extended_attributes(source.impl().descriptor.get());
  return copy_content(source, size, impl_->descriptor.get(), impl_->target, copied);
}

Result<void> AtomicFile::write_at(std::uint64_t offset, ByteView bytes) {
  SIGNCTL_ASSERT(impl_ != nullptr && impl_->present);
  return write_fully(impl_->descriptor.get(), offset, bytes, impl_->target);
}

Result<void> AtomicFile::resize(std::uint64_t size) {
  SIGNCTL_ASSERT(impl_ != nullptr && impl_->present);
  if (size > static_cast<std::uint64_t>(std::numeric_limits<off_t>::max())) {
    return impl_->failure(EFBIG);
  }
  const int result = retry_interrupted(
      [&] { return ftruncate(impl_->descriptor.get(), static_cast<off_t>(size)); });
  if (result != 0) {
    return impl_->failure(errno);
  }
  return ok();
}

Result<void> AtomicFile::sync() {
  SIGNCTL_ASSERT(impl_ != nullptr && impl_->present);
#if defined(F_FULLFSYNC)
  // On macOS fsync leaves the data in the drive's cache.
  if (fcntl(impl_->descriptor.get(), F_FULLFSYNC) == 0) {
    return ok();
  }
#endif
  if (retry_interrupted([&] { return fsync(impl_->descriptor.get()); }) != 0) {
    return impl_->failure(errno);
  }
  return ok();
}

Result<void> AtomicFile::commit() {
  SIGNCTL_ASSERT(impl_ != nullptr && impl_->present);
  SIGNCTL_CHECK(impl_->check_still_ours(), "");
  impl_->apply_attributes();
  const int code =
      impl_->existing == Existing::refuse
          ? rename_refusing(impl_->temporary, impl_->target)
          : (std::rename(impl_->temporary.c_str(), impl_->target.c_str()) == 0 ? 0 : errno);
  if (code != 0) {
    return impl_->failure(code);
  }
  impl_->present = false;
  impl_->discard();
  return ok();
}

void remove_path_on_signal(const fs::path::value_type* path) noexcept {
  static_cast<void>(unlink(path));
}

unsigned long current_process_id() noexcept {
  return static_cast<unsigned long>(getpid());
}

}  // namespace signctl
