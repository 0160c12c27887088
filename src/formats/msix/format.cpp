// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "formats/msix/signable.hpp"

#include <signctl/format.hpp>

#include <algorithm>
#include <array>

namespace signctl::msix {
namespace {

constexpr std::array<std::string_view, 4> kEncryptedExtensions{
    "emsix", "emsixbundle", "eappx", "eappxbundle"};

/// Encrypted packages are no ZIP archives: they begin with these.
bool is_encrypted(ByteView head) {
  const std::string_view text = as_text(head);
  return text.starts_with("EXPH") || text.starts_with("EXBH");
}

bool is_encrypted_name(std::string_view extension) {
  return std::find(kEncryptedExtensions.begin(), kEncryptedExtensions.end(), extension) !=
         kEncryptedExtensions.end();
}

class MsixFormat final : public Format {
 public:
  [[nodiscard]] std::string_view name() const override { return "msix"; }
  [[nodiscard]] std::string_view title() const override { return "App package (MSIX, APPX)"; }
  [[nodiscard]] std::span<const std::string_view> extensions() const override {
    static constexpr std::array<std::string_view, 4> kExtensions{
        "msix", "msixbundle", "appx", "appxbundle"};
    return kExtensions;
  }
  [[nodiscard]] FormatCapabilities capabilities() const override {
    FormatCapabilities can;
    can.sign = true;
    can.verify = true;
    can.timestamp = true;
    can.remove = true;
    can.detached = true;
    can.exchange = true;
    return can;
  }
  [[nodiscard]] Sniff sniff(const SniffInput& input) const override {
    const auto& kinds = input.archive_kinds;
    if (std::find(kinds.begin(), kinds.end(), name()) != kinds.end()) {
      return Sniff::yes;
    }
    const bool encrypted =
        kinds.empty() && (is_encrypted(input.head) || is_encrypted_name(input.extension));
    return encrypted ? Sniff::maybe : Sniff::no;
  }
  Result<std::unique_ptr<Signable>> open(std::shared_ptr<const ByteSource> source) const override {
    return open_named(std::move(source), "");
  }
  Result<std::unique_ptr<Signable>> open_named(std::shared_ptr<const ByteSource> source,
                                               std::string_view extension) const override {
    std::array<std::uint8_t, 4> head{};
    const bool readable = source->size() >= head.size() && source->read_at(0, head).has_value();
    if (is_encrypted_name(extension) || (readable && is_encrypted(head))) {
      return Error{ErrorKind::unsupported,
                   "encrypted app packages are not signed or verified",
                   "they have a format and an interface package of their own; sign them with "
                   "signtool on Windows"};
    }
    return open_package(std::move(source));
  }
};

}  // namespace

const Format& format() {
  static const MsixFormat instance;
  return instance;
}

}  // namespace signctl::msix
