// SPDX-License-Identifier: Apache-2.0
#include "core/byte_reader.hpp"
#include "formats/pe/signable.hpp"

#include <signctl/format.hpp>

#include <array>

namespace signctl::pe {
namespace {

constexpr std::uint16_t kDosMagic = 0x5A4D;       // "MZ"
constexpr std::uint32_t kSignature = 0x00004550;  // "PE\0\0"
constexpr std::uint32_t kDosHeaderSize = 0x40;
constexpr std::size_t kFullHead = 4096;

class PeFormat final : public Format {
 public:
  [[nodiscard]] std::string_view name() const override { return "pe"; }
  [[nodiscard]] std::string_view title() const override { return "Portable Executable"; }
  [[nodiscard]] std::span<const std::string_view> extensions() const override {
    static constexpr std::array<std::string_view, 13> kExtensions{"exe",
                                                                  "dll",
                                                                  "sys",
                                                                  "efi",
                                                                  "ocx",
                                                                  "cpl",
                                                                  "scr",
                                                                  "mui",
                                                                  "ax",
                                                                  "drv",
                                                                  "winmd",
                                                                  "pyd",
                                                                  "node"};
    return kExtensions;
  }
  [[nodiscard]] FormatCapabilities capabilities() const override {
    FormatCapabilities all;
    all.sign = true;
    all.verify = true;
    all.append = true;
    all.timestamp = true;
    all.remove = true;
    all.detached = true;
    all.page_hashes = true;
    return all;
  }
  [[nodiscard]] Sniff sniff(const SniffInput& input) const override;
  Result<std::unique_ptr<Signable>> open(std::shared_ptr<const ByteSource> source) const override {
    return open_image(std::move(source));
  }
};

Sniff PeFormat::sniff(const SniffInput& input) const {
  const ByteReader head(input.head);
  if (head.u16(0) != kDosMagic) {
    return Sniff::no;
  }
  const auto pe_offset = head.u32(0x3C);
  if (!pe_offset) {
    return Sniff::no;
  }
  if (const auto signature = head.u32(*pe_offset)) {
    // Headers that overlap are for whoever opens it to refuse.
    const bool overlaps = *pe_offset < kDosHeaderSize;
    return *signature != kSignature ? Sniff::no : overlaps ? Sniff::maybe : Sniff::yes;
  }
  // The PE header is behind what we were shown; in a file shown completely it is nowhere.
  return input.head.size() < kFullHead ? Sniff::no : Sniff::maybe;
}

}  // namespace

const Format& format() {
  static const PeFormat instance;
  return instance;
}

}  // namespace signctl::pe
