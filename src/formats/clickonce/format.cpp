// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "formats/clickonce/names.hpp"
#include "formats/clickonce/signable.hpp"

#include <algorithm>
#include <array>

namespace signctl::clickonce {
namespace {

/// What only deployment and application manifests have.
constexpr std::array<std::string_view, 4> kMarks{
    "deployment", "entryPoint", "dependencyType", "urn:schemas-microsoft-com:clickonce.v"};

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
  const bool is_assembly = first != std::string_view::npos && text[first] == '<' &&
                           text.find("assembly") != std::string_view::npos &&
                           text.find(kAsmV1) != std::string_view::npos;
  if (!is_assembly) {
    return Sniff::no;
  }
  // Manifests of programs (side-by-side assemblies) have the same root, and no signature.
  const bool is_named = input.extension == "application" || input.extension == "vsto";
  const bool has_marks = std::any_of(kMarks.begin(), kMarks.end(), [&](std::string_view mark) {
    return text.find(mark) != std::string_view::npos;
  });
  return is_named || has_marks ? Sniff::yes : Sniff::no;
}

}  // namespace

const Format& format() {
  static const ClickOnceFormat instance;
  return instance;
}

}  // namespace signctl::clickonce
