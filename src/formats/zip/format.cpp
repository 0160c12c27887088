// SPDX-License-Identifier: Apache-2.0
#include "formats/common/zip_kind.hpp"
#include "formats/zip/signable.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace signctl::zip {
namespace {

/// Packages that are ZIP archives with a signature of a kind of its own, by the name they go by.
constexpr std::array<std::string_view, 10> kPackageExtensions{"msix",
                                                              "msixbundle",
                                                              "appx",
                                                              "appxbundle",
                                                              "emsix",
                                                              "emsixbundle",
                                                              "eappx",
                                                              "eappxbundle",
                                                              "nupkg",
                                                              "vsix"};

Error refuse_package(const std::string& kind) {
  return {ErrorKind::unsupported,
          "packages of type " + kind + " are not signed or verified by this version",
          "their own signatures are not understood; sign the programs before they are packed"};
}

class ZipFormat final : public Format {
 public:
  [[nodiscard]] std::string_view name() const override { return "zip"; }
  [[nodiscard]] std::string_view title() const override { return "ZIP archive"; }
  [[nodiscard]] std::span<const std::string_view> extensions() const override {
    static constexpr std::array<std::string_view, 1> kExtensions{"zip"};
    return kExtensions;
  }
  [[nodiscard]] FormatCapabilities capabilities() const override {
    FormatCapabilities can;
    can.exchange = true;
    return can;
  }
  [[nodiscard]] Sniff sniff(const SniffInput& input) const override {
    return looks_like_zip(input.head, input.tail) ? Sniff::yes : Sniff::no;
  }
  Result<std::unique_ptr<Signable>> open(std::shared_ptr<const ByteSource> source) const override {
    const std::vector<std::string_view> kinds = kinds_of(*source);
    if (kinds.front() != "zip") {
      return refuse_package(std::string(kinds.front()));
    }
    return open_archive(std::move(source));
  }
  Result<std::unique_ptr<Signable>> open_named(std::shared_ptr<const ByteSource> source,
                                               std::string_view extension) const override {
    const bool is_package =
        std::find(kPackageExtensions.begin(), kPackageExtensions.end(), extension) !=
        kPackageExtensions.end();
    return is_package ? refuse_package(std::string(extension)) : open(std::move(source));
  }
  [[nodiscard]] bool needs_own_signature() const override { return false; }
};

}  // namespace

const Format& format() {
  static const ZipFormat instance;
  return instance;
}

}  // namespace signctl::zip
