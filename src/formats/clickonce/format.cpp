// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "formats/clickonce/names.hpp"
#include "formats/clickonce/signable.hpp"
#include "formats/common/xml_start.hpp"

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

/// Whether a start tag's name is `assembly`, with any prefix.
bool is_assembly_tag(std::string_view tag) {
  const std::string_view name = tag.substr(0, tag.find_first_of(" \t\r\n/>")).substr(1);
  return name.substr(name.find(':') + 1) == "assembly";
}

Sniff ClickOnceFormat::sniff(const SniffInput& input) const {
  std::string_view text = as_text(input.head);
  const auto root = xml::find_root(text);
  if (!root) {
    const auto names = extensions();
    const bool is_named = std::find(names.begin(), names.end(), input.extension) != names.end();
    // One that hides its root element is not passed over, but left to the parser.
    return is_named && xml::looks_like_xml(input.head) ? Sniff::maybe : Sniff::no;
  }
  text.remove_prefix(*root);
  if (!is_assembly_tag(text) || text.find(kAsmV1) == std::string_view::npos) {
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
