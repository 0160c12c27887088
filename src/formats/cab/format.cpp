// SPDX-License-Identifier: Apache-2.0
#include "core/byte_reader.hpp"
#include "formats/cab/signable.hpp"
#include "formats/common/cabinet_layout.hpp"

#include <signctl/format.hpp>

#include <array>

namespace signctl::cab {
namespace {

constexpr std::uint32_t kMagic = 0x4643534D;  // "MSCF"
constexpr std::uint16_t kVersion13 = 0x0103;  // Minor 3, major 1.

class CabFormat final : public Format {
 public:
  [[nodiscard]] std::string_view name() const override { return "cab"; }
  [[nodiscard]] std::string_view title() const override { return "Cabinet"; }
  /// Nobody runs one: it is unpacked by what it lies in, whose signature covers it.
  [[nodiscard]] bool needs_own_signature() const override { return false; }
  [[nodiscard]] std::span<const std::string_view> extensions() const override {
    static constexpr std::array<std::string_view, 1> kExtensions{"cab"};
    return kExtensions;
  }
  [[nodiscard]] FormatCapabilities capabilities() const override {
    FormatCapabilities can;
    can.sign = true;
    can.verify = true;
    can.append = true;
    can.timestamp = true;
    can.remove = true;
    can.detached = true;
    return can;
  }
  [[nodiscard]] Sniff sniff(const SniffInput& input) const override {
    const ByteReader head(input.head);
    const bool is_cabinet = head.u32(0) == kMagic && head.u16(24) == kVersion13 &&
                            head.u32(formats::kCabSizeOffset) >= formats::kCabHeaderSize;
    return is_cabinet ? Sniff::yes : Sniff::no;
  }
  Result<std::unique_ptr<Signable>> open(std::shared_ptr<const ByteSource> source) const override {
    return open_cabinet(std::move(source));
  }
};

}  // namespace

const Format& format() {
  static const CabFormat instance;
  return instance;
}

}  // namespace signctl::cab
