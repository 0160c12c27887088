// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/file.hpp"
#include "core/text.hpp"
#include "formats/script/dialect.hpp"
#include "formats/script/signable.hpp"
#include "support/must.hpp"

#include <signctl/format.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace signctl::test {

using Ids = std::vector<std::string>;

inline Bytes from_string(std::string_view text) {
  return {text.begin(), text.end()};
}

inline Result<std::unique_ptr<Signable>> try_open(const std::string& extension,
                                                  std::string_view text) {
  const script::Dialect* dialect = script::find_dialect(extension);
  if (dialect == nullptr) {
    throw std::runtime_error("no dialect " + extension);
  }
  return script::open_script(std::make_shared<MemorySource>(from_string(text)), *dialect);
}

inline std::unique_ptr<Signable> open(const std::string& extension, std::string_view text) {
  return must(try_open(extension, text));
}

inline std::string digest_hex_of(Signable& file, DigestAlg alg = DigestAlg::sha256) {
  return to_hex(must(file.file_digests(std::array{alg})).front());
}

/// What a writer makes of the edits.
inline std::string applied(const PatchSet& patches, std::string_view text) {
  std::string result(text.substr(0, static_cast<std::size_t>(patches.keep)));
  for (const Patch& patch : patches.patches) {
    const auto offset = static_cast<std::size_t>(patch.offset);
    result.resize(std::max(result.size(), offset + patch.bytes.size()));
    std::copy(patch.bytes.begin(),
              patch.bytes.end(),
              result.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  return result;
}

/// Stands in for a ContentInfo: the container does not look into it.
inline Bytes some_signature(std::size_t size = 100) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::uint8_t>(i * 7);
  }
  return bytes;
}

inline std::string with_signature(const std::string& extension,
                                  std::string_view text,
                                  const Bytes& signature = some_signature()) {
  return applied(must(open(extension, text)->embed(std::array{signature})), text);
}

inline std::string without_signature(const std::string& extension, std::string_view text) {
  return applied(must(open(extension, text)->strip()), text);
}

/// "id severity" of every finding, sorted.
inline Ids finding_ids(const std::string& extension, std::string_view text) {
  Ids ids;
  for (const Finding& finding : must(open(extension, text)->container_findings())) {
    ids.push_back(finding.id + " " + severity_name(finding.severity));
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

/// ASCII as UTF-16 with its byte order mark.
inline std::string utf16(std::string_view ascii, bool big_endian) {
  std::string result = big_endian ? "\xFE\xFF" : "\xFF\xFE";
  for (const char c : ascii) {
    result += big_endian ? std::string{'\0', c} : std::string{c, '\0'};
  }
  return result;
}

/// A small script of each language.
inline std::string sample(const std::string& extension) {
  return extension == "wsf"
             ? "<job>\r\n<script language=\"VBScript\">\r\nx = 1\r\n</script>\r\n</job>\r\n"
             : "first line\r\nsecond line  \t\r\n\r\n";
}

}  // namespace signctl::test
