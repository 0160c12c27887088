// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "formats/clickonce/names.hpp"
#include "formats/clickonce/signable.hpp"

#include <array>

namespace signctl::clickonce {
namespace {

class ClickOnceFormat final : public Format {
 public:
  [[nodiscard]] std::string_view name() const override { return "clickonce"; }
  [[nodiscard]] std::string_view title() const override { return "ClickOnce manifest"; }
  [[nodiscard]] std::span<const std::string_view> extensions() const override {
    static constexpr std::array<std::string_view, 3> kExtensions{"application", "manifest", "vsto"};
    return kExtensions;
  }
  [[nodiscard]] FormatCapabilities capabilities() const override {
    FormatCapabilities some;
    some.sign = true;
    some.verify = true;
    some.timestamp = true;
    some.remove = true;
    return some;
  }
  [[nodiscard]] Sniff sniff(const SniffInput& input) const override;
  Result<std::unique_ptr<Signable>> open(std::shared_ptr<const ByteSource> source) const override {
    return open_manifest(std::move(source));
  }
};

Sniff ClickOnceFormat::sniff(const SniffInput& input) const {
  std::string_view text = as_text(input.head);
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.substr(0, kMark.size()) == kMark) {
    text.remove_prefix(kMark.size());
  }
  const auto first = text.find_first_not_of(" \t\r\n");
  const bool is_manifest = first != std::string_view::npos && text[first] == '<' &&
                           text.find("assembly") != std::string_view::npos &&
                           text.find(kAsmV1) != std::string_view::npos;
  return is_manifest ? Sniff::yes : Sniff::no;
}

}  // namespace

const Format& format() {
  static const ClickOnceFormat instance;
  return instance;
}

}  // namespace signctl::clickonce
