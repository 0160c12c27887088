// SPDX-License-Identifier: Apache-2.0
#include "formats/common/zip_archive.hpp"
#include "formats/common/zip_kind.hpp"
#include "formats/zip/signable.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace signctl::zip {
namespace {

/// Packages that are ZIP archives with a signature of a kind of its own, by the name they go by.
constexpr std::array<std::string_view, 11> kPackageExtensions{"msix",
                                                              "msixbundle",
                                                              "appx",
                                                              "appxbundle",
                                                              "emsix",
                                                              "emsixbundle",
                                                              "eappx",
                                                              "eappxbundle",
                                                              "nupkg",
                                                              "snupkg",
                                                              "vsix"};

Error refuse_package(const std::string& kind) {
  return {ErrorKind::unsupported,
          "packages of type " + kind + " are not signed or verified by this version",
          "their own signatures are not understood; sign the programs before they are packed"};
}

/// Whether a format of this build is for one of the kinds of packages.
bool is_taken(std::span<const std::string_view> kinds) {
  const auto formats = builtin_formats();
  return std::any_of(formats.begin(), formats.end(), [&](const Format* format) {
    return format->name() != "zip" &&
           std::find(kinds.begin(), kinds.end(), format->name()) != kinds.end();
  });
}

/// Whether a format of this build goes by that extension.
bool is_known(std::string_view extension) {
  const auto formats = builtin_formats();
  return std::any_of(formats.begin(), formats.end(), [&](const Format* format) {
    const auto known = format->extensions();
    return std::find(known.begin(), known.end(), extension) != known.end();
  });
}

Error not_what_it_is_called(std::string_view extension) {
  return {ErrorKind::input,
          "the archive is called " + std::string(extension) +
              " but does not hold what makes it a package of that type",
          "build it anew, or rename it to .zip if it is an archive"};
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
    // Packages are for the format of their name.
    if (!looks_like_zip(input.head) || is_taken(input.archive_kinds)) {
      return Sniff::no;
    }
    return has_end_record(input.head, input.tail) ? Sniff::yes : Sniff::maybe;
  }
  Result<std::unique_ptr<Signable>> open(std::shared_ptr<const ByteSource> source) const override {
    const std::vector<std::string_view> kinds = kinds_of(*source);
    if (kinds.front() != "zip") {
      return Error{ErrorKind::unsupported,
                   "the archive is a package of type " + std::string(kinds.front()) +
                       ", and what is inside it is not judged or changed as if it were none",
                   "its own format deals with it"};
    }
    return open_archive(std::move(source));
  }
  Result<std::unique_ptr<Signable>> open_named(std::shared_ptr<const ByteSource> source,
                                               std::string_view extension) const override {
    const bool is_package =
        std::find(kPackageExtensions.begin(), kPackageExtensions.end(), extension) !=
        kPackageExtensions.end();
    if (is_package) {
      // A directory that cannot be read tells nothing of what is in the archive.
      SIGNCTL_CHECK(read_archive(*source, Strictness::archive), "");
      return is_known(extension) ? not_what_it_is_called(extension)
                                 : refuse_package(std::string(extension));
    }
    return open(std::move(source));
  }
  [[nodiscard]] bool needs_own_signature() const override { return false; }
};

}  // namespace

const Format& format() {
  static const ZipFormat instance;
  return instance;
}

}  // namespace signctl::zip
