// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the targets for packages share. Their input is a sequence of files, so that the fuzzer
// changes XML, digests and signatures and not checksums: name, newline, length as two octets,
// bytes.

#include "core/file.hpp"
#include "core/text.hpp"
#include "support/zip_builder.hpp"
#include "verify/verify.hpp"

#include <signctl/format.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace signctl::fuzz {

inline test::ZipSpec read_files(std::string_view data) {
  test::ZipSpec spec;
  spec.files.clear();
  while (spec.files.size() < 64) {
    const auto line = data.find('\n');
    if (line == std::string_view::npos || data.size() < line + 3) {
      break;
    }
    test::ZipFile file;
    file.name = std::string(data.substr(0, line));
    const auto size = static_cast<std::size_t>(static_cast<std::uint8_t>(data[line + 1])) |
                      (static_cast<std::size_t>(static_cast<std::uint8_t>(data[line + 2])) << 8U);
    const std::string_view bytes = data.substr(line + 3, size);
    file.bytes = Bytes(bytes.begin(), bytes.end());
    spec.files.push_back(std::move(file));
    data.remove_prefix(std::min(data.size(), line + 3 + size));
  }
  return spec;
}

/// The archive of the files in a fuzzer's input.
inline std::shared_ptr<const ByteSource> archive_of(const std::uint8_t* data, std::size_t size) {
  return std::make_shared<MemorySource>(test::make_zip(read_files(as_text({data, size}))));
}

/// Trusts nobody.
class NoAnchors final : public TrustStore {
 public:
  Result<std::vector<Anchor>> anchors_named(ByteView /*name_der*/,
                                            TrustPurpose /*purpose*/) const override {
    return std::vector<Anchor>{};
  }
  [[nodiscard]] std::string describe() const override { return "nobody"; }
};

/// Everything that can be asked of a package whose signatures are CMS.
inline void ask_all(Signable& package, DigestAlg alg) {
  static const auto anchors = std::make_shared<NoAnchors>();
  static_cast<void>(
      verify::verify_file(package, {anchors, false, TimePoint(std::chrono::days(20'000))}));
  static_cast<void>(package.strip());
  static_cast<void>(package.content_to_sign(alg));
  const std::array fresh{Bytes{0x30, 0x00}};
  static_cast<void>(package.embed(fresh));
  const auto members = package.members();
  if (members && !members->empty()) {
    const std::array other{Replacement{0, std::make_shared<MemorySource>(Bytes(70'000, 'x'))}};
    static_cast<void>(package.exchange_members(other));
  }
}

}  // namespace signctl::fuzz
