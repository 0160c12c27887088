// SPDX-License-Identifier: Apache-2.0
#include "audit/manifest.hpp"

#include "core/block_reader.hpp"
#include "core/file.hpp"
#include "core/path.hpp"
#include "core/text.hpp"
#include "core/utf8.hpp"
#include "crypto/digest.hpp"

#include <algorithm>
#include <filesystem>

namespace signctl::audit {

namespace {

namespace fs = std::filesystem;

fs::path normal(const std::string& utf8) {
  std::error_code code;
  // Absolute first: of a folder that is not there yet, weakly_canonical() would leave a relative
  // path.
  const fs::path absolute = fs::absolute("." / to_path(utf8).parent_path(), code);
  // Links in folders are followed as far as they exist, so that both ways to a file are one.
  const fs::path folder = fs::weakly_canonical(absolute, code);
  return ((code ? absolute : folder) / to_path(utf8).filename()).lexically_normal();
}

}  // namespace

Result<FileDigests> digest_source(const ByteSource& source) {
  crypto::Hasher sha256(DigestAlg::sha256);
  crypto::Hasher sha512(DigestAlg::sha512);
  SIGNCTL_CHECK(for_each_block(source, 0, source.size(), {[&](std::uint64_t, ByteView block) {
                                 sha256.update(block);
                                 sha512.update(block);
                                 return true;
                               }}),
                "");
  return FileDigests{source.size(), to_hex(sha256.finish()), to_hex(sha512.finish())};
}

Result<FileDigests> digest_file(const std::string& path_utf8) {
  SIGNCTL_TRY(const auto source, FileSource::open(path_utf8), "");
  SIGNCTL_TRY(auto digests, digest_source(*source), "reading " + path_utf8);
  return digests;
}

bool Manifest::complete() const {
  return run.exit_code == 0 && std::ranges::all_of(files, [](const FileRecord& file) {
           return is_good_state(file.state);
         });
}

bool is_good_state(std::string_view state) {
  return state == "signed" || state == "skipped" || state == "sealed";
}

Result<std::string> path_in_manifest(const std::string& path_utf8,
                                     const std::string& manifest_path_utf8) {
  const fs::path relative =
      normal(path_utf8).lexically_relative(normal(manifest_path_utf8).parent_path());
  if (relative.empty()) {
    return Error{ErrorKind::input,
                 "there is no way from the manifest " + printable(manifest_path_utf8) + " to " +
                     printable(path_utf8),
                 "write the manifest to the drive that the files are on"};
  }
  const std::u8string generic = relative.generic_u8string();
  std::string recorded(generic.begin(), generic.end());
  // On another system a backslash leads into a folder, and JSON holds text alone.
  if (recorded.find('\\') != std::string::npos || !is_utf8(recorded)) {
    return Error{ErrorKind::input,
                 "a manifest cannot hold the name " + printable(path_utf8) +
                     ": it has a backslash in it, or is not UTF-8",
                 "rename the file"};
  }
  return recorded;
}

std::string path_from_manifest(const std::string& recorded_utf8,
                               const std::string& manifest_path_utf8) {
  return to_utf8(
      (to_path(manifest_path_utf8).parent_path() / to_path(recorded_utf8)).lexically_normal());
}

}  // namespace signctl::audit
