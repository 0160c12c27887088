// SPDX-License-Identifier: Apache-2.0
#include "core/path.hpp"
#include "core/posix_error.hpp"
#include "core/text.hpp"

#include <system_error>
#include <unistd.h>
#include <utility>

namespace signctl {

namespace {

struct Words {
  std::string reason;
  std::string hint;
};

std::string folder_of(std::string_view path_utf8) {
  const std::string folder = to_utf8(to_path(path_utf8).parent_path());
  return folder.empty() ? "." : printable(folder);
}

std::string system_text(int code) {
  return to_lower(std::generic_category().message(code));
}

/// What means the same whether reading or writing.
Words common_words(int code) {
  switch (code) {
    case ELOOP:
      return {"too many symbolic links one after the other", "mend the links on the way to it"};
    case ENAMETOOLONG:
      return {"the path is too long", "use shorter names or a folder nearer to the root"};
    case EMFILE:
    case ENFILE:
      return {"too many files are open", "raise the limit (ulimit -n) or lower --jobs"};
    case EIO:
      return {"the device reports an input/output error",
              "check the disk or network drive, then run again"};
    case ESTALE:
      return {"the network drive lost the file", "run again; mount the drive again if that fails"};
    default:
      return {system_text(code), ""};
  }
}

Words read_words(int code, std::string_view path_utf8) {
  switch (code) {
    case ENOENT: {
      std::error_code ignored;
      const auto folder = to_path(path_utf8).parent_path();
      if (!folder.empty() && !std::filesystem::exists(folder, ignored)) {
        return {"it does not exist",
                "the folder " + folder_of(path_utf8) + " does not exist either; check the path"};
      }
      return {"it does not exist", "check the spelling, and that the build step made it"};
    }
    case ENOTDIR:
      return {"a part of its path is a file, not a folder", "check the path"};
    case EACCES:
    case EPERM:
      return {"permission denied", "let the user that runs signctl read it and enter its folders"};
    case EOVERFLOW:
      return {"it is too large for this build of signctl", ""};
    default:
      return common_words(code);
  }
}

Words write_words(int code, std::string_view path_utf8) {
  const std::string folder = folder_of(path_utf8);
  switch (code) {
    case ENOSPC:
      return {"no space left on the device",
              "free some space on the drive of " + folder +
                  "; signing needs room for a second copy of the file"};
    case EDQUOT:
      return {"the disk quota is used up", "free some space or ask for more"};
    case EFBIG:
      return {"the file would be larger than the system or a limit allows",
              "check ulimit -f and the largest file that the drive's file system can hold"};
    case EROFS:
      return {"the drive is mounted read-only",
              "write somewhere else with --output or --output-dir"};
    case EACCES:
    case EPERM:
      return {"permission denied",
              "let the user that runs signctl write to the folder " + folder +
                  ", or write somewhere else with --output or --output-dir"};
    case ENOENT:
      return {"the folder " + folder + " does not exist", "make the folder first"};
    case ENOTDIR:
      return {"a part of its path is a file, not a folder", "check the path"};
    case EEXIST:
      return {"it exists already", "remove it or choose another name"};
    case EISDIR:
      return {"it is a folder", "name a file"};
    case ETXTBSY:
    case EBUSY:
      return {"it is in use", "stop the program that uses it"};
    default:
      return common_words(code);
  }
}

}  // namespace

Error read_error(int code, const std::string& what, std::string_view path_utf8) {
  Words words = read_words(code, path_utf8);
  return {ErrorKind::input, what + ": " + words.reason, std::move(words.hint)};
}

Error write_error(int code, const std::string& what, std::string_view path_utf8) {
  Words words = write_words(code, path_utf8);
  return {ErrorKind::output, what + ": " + words.reason, std::move(words.hint)};
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    close();
    number_ = other.release();
  }
  return *this;
}

int Descriptor::release() {
  return std::exchange(number_, -1);
}

void Descriptor::close() {
  if (number_ >= 0) {
    // Not repeated on EINTR: on Linux the descriptor is gone then, and may be somebody else's.
    ::close(std::exchange(number_, -1));
  }
}

}  // namespace signctl
