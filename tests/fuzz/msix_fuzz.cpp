// SPDX-License-Identifier: Apache-2.0
// Everything that reading an app package or bundle can reach. The input is a sequence of files, so
// that the fuzzer changes XML and digests and not checksums: name, newline, length as two octets,
// bytes.

#include "core/file.hpp"
#include "core/text.hpp"
#include "formats/msix/signable.hpp"
#include "support/zip_builder.hpp"
#include "verify/verify.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

namespace {

signctl::test::ZipSpec read_files(std::string_view data) {
  signctl::test::ZipSpec spec;
  spec.files.clear();
  while (spec.files.size() < 64) {
    const auto line = data.find('\n');
    if (line == std::string_view::npos || data.size() < line + 3) {
      break;
    }
    signctl::test::ZipFile file;
    file.name = std::string(data.substr(0, line));
    const auto size = static_cast<std::size_t>(static_cast<std::uint8_t>(data[line + 1])) |
                      (static_cast<std::size_t>(static_cast<std::uint8_t>(data[line + 2])) << 8U);
    const std::string_view bytes = data.substr(line + 3, size);
    file.bytes = signctl::Bytes(bytes.begin(), bytes.end());
    spec.files.push_back(std::move(file));
    data.remove_prefix(std::min(data.size(), line + 3 + size));
  }
  return spec;
}

/// Trusts nobody.
class NoAnchors final : public signctl::TrustStore {
 public:
  signctl::Result<std::vector<signctl::Anchor>> anchors_named(
      signctl::ByteView /*name_der*/, signctl::TrustPurpose /*purpose*/) const override {
    return std::vector<signctl::Anchor>{};
  }
  [[nodiscard]] std::string describe() const override { return "nobody"; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signctl;
  const auto spec = read_files(as_text({data, size}));
  auto opened = msix::open_package(std::make_shared<MemorySource>(test::make_zip(spec)));
  if (!opened) {
    return 0;
  }
  static const auto anchors = std::make_shared<NoAnchors>();
  static_cast<void>(
      verify::verify_file(**opened, {anchors, false, TimePoint(std::chrono::days(20'000))}));
  static_cast<void>((*opened)->strip());
  static_cast<void>((*opened)->content_to_sign(DigestAlg::sha256, PageHashes::off));
  const std::array fresh{Bytes{0x30, 0x00}};
  static_cast<void>((*opened)->embed(fresh));
  const auto members = (*opened)->members();
  if (members && !members->empty()) {
    const std::array other{Replacement{0, std::make_shared<MemorySource>(Bytes(70'000, 'x'))}};
    static_cast<void>((*opened)->exchange_members(other));
  }
  return 0;
}
