// SPDX-License-Identifier: Apache-2.0
#include "formats/nuget/signable.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace signctl::nuget {
namespace {

class NugetFormat final : public Format {
 public:
  [[nodiscard]] std::string_view name() const override { return "nuget"; }
  [[nodiscard]] std::string_view title() const override { return "NuGet package"; }
  [[nodiscard]] std::span<const std::string_view> extensions() const override {
    static constexpr std::array<std::string_view, 2> kExtensions{"nupkg", "snupkg"};
    return kExtensions;
  }
  [[nodiscard]] FormatCapabilities capabilities() const override {
    FormatCapabilities can;
    can.sign = true;
    can.verify = true;
    can.timestamp = true;
    can.remove = true;
    can.exchange = true;
    return can;
  }
  [[nodiscard]] Sniff sniff(const SniffInput& input) const override {
    const auto& kinds = input.archive_kinds;
    return std::find(kinds.begin(), kinds.end(), name()) != kinds.end() ? Sniff::yes : Sniff::no;
  }
  Result<std::unique_ptr<Signable>> open(std::shared_ptr<const ByteSource> source) const override {
    return open_package(std::move(source));
  }
};

}  // namespace

const Format& format() {
  static const NugetFormat instance;
  return instance;
}

}  // namespace signctl::nuget
