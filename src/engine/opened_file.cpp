// SPDX-License-Identifier: Apache-2.0
#include "engine/opened_file.hpp"

#include <utility>

namespace signctl::engine {

Result<OpenedFile> open_draft(const std::string& path_utf8, const OpenedFile& original) {
  const std::string step = "opening " + path_utf8;
  SIGNCTL_TRY(auto source, FileSource::open(path_utf8), "");
  SIGNCTL_TRY(auto signable, original.format->open_named(source, original.extension), step);
  return OpenedFile{std::move(source), original.format, std::move(signable), original.extension};
}

Result<OpenedFile> open_file(const std::string& path_utf8) {
  const std::string step = "opening " + path_utf8;
  SIGNCTL_TRY(auto source, FileSource::open(path_utf8), "");
  SIGNCTL_TRY(const Format* format, detect_format(*source, path_utf8), step);
  std::string extension = extension_of(path_utf8);
  SIGNCTL_TRY(auto signable, format->open_named(source, extension), step);
  return OpenedFile{std::move(source), format, std::move(signable), std::move(extension)};
}

Result<std::vector<Bytes>> stored_signatures(Signable& file) {
  SIGNCTL_TRY(auto stored, file.signatures(), "reading the signatures");
  std::vector<Bytes> signatures;
  signatures.reserve(stored.size());
  for (EmbeddedSignature& one : stored) {
    signatures.push_back(std::move(one.cms));
  }
  return signatures;
}

}  // namespace signctl::engine
