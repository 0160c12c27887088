// SPDX-License-Identifier: Apache-2.0
#include "formats/msi/header.hpp"
#include "formats/msi/signable.hpp"

#include <signctl/format.hpp>

#include <array>

namespace signctl::msi {
namespace {

class MsiFormat final : public Format {
 public:
  [[nodiscard]] std::string_view name() const override { return "msi"; }
  [[nodiscard]] std::string_view title() const override { return "Windows Installer"; }
  [[nodiscard]] std::span<const std::string_view> extensions() const override {
    static constexpr std::array<std::string_view, 4> kExtensions{"msi", "msp", "mst", "msm"};
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
    return all;
  }
  [[nodiscard]] Sniff sniff(const SniffInput& input) const override {
    return looks_like_compound_file(input.head) ? Sniff::yes : Sniff::no;
  }
  Result<std::unique_ptr<Signable>> open(std::shared_ptr<const ByteSource> source) const override {
    return open_installer(std::move(source));
  }
};

}  // namespace

const Format& format() {
  static const MsiFormat instance;
  return instance;
}

}  // namespace signctl::msi
