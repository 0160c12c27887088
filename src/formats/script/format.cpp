// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"
#include "formats/script/dialect.hpp"
#include "formats/script/signable.hpp"

#include <signctl/format.hpp>

#include <string>
#include <vector>

namespace signctl::script {
namespace {

std::vector<std::string_view> all_extensions() {
  std::vector<std::string_view> extensions;
  for (const Dialect& dialect : dialects()) {
    extensions.push_back(dialect.extension);
  }
  return extensions;
}

class ScriptFormat final : public Format {
 public:
  [[nodiscard]] std::string_view name() const override { return "script"; }
  [[nodiscard]] std::string_view title() const override {
    return "PowerShell and Windows Script Host";
  }
  [[nodiscard]] std::span<const std::string_view> extensions() const override {
    static const std::vector<std::string_view> all = all_extensions();
    return all;
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

  /// Windows tells scripts by their names alone, so a name of ours is a script whatever is in it.
  /// If the bytes say something else to another format, that makes the file ambiguous.
  [[nodiscard]] Sniff sniff(const SniffInput& input) const override {
    return find_dialect(input.extension) != nullptr || is_encoded_script(input.extension)
               ? Sniff::yes
               : Sniff::no;
  }

  /// Nearly every `.js` file in the world belongs to a web page.
  [[nodiscard]] bool is_meant_unnamed(std::string_view extension) const override {
    return extension != "js";
  }

  Result<std::unique_ptr<Signable>> open(
      std::shared_ptr<const ByteSource> /*source*/) const override {
    return Error{ErrorKind::unsupported,
                 "which language a script is in is told by its name, and there is none",
                 "give the file one of the extensions that signctl formats lists"};
  }

  Result<std::unique_ptr<Signable>> open_named(std::shared_ptr<const ByteSource> source,
                                               std::string_view extension) const override {
    if (const Dialect* dialect = find_dialect(extension)) {
      return open_script(std::move(source), *dialect);
    }
    if (is_encoded_script(extension)) {
      return Error{ErrorKind::unsupported,
                   "encoded scripts (." + std::string(extension) + ") cannot be signed or judged",
                   "sign the script in its plain form"};
    }
    return open(std::move(source));
  }
};

}  // namespace

const Format& format() {
  static const ScriptFormat instance;
  return instance;
}

}  // namespace signctl::script
