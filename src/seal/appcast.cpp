// SPDX-License-Identifier: Apache-2.0
// Feeds of Sparkle and WinSparkle (Sparkle documentation, "Publishing an update"): RSS whose
// enclosures have the size of a file, and a signature over it that only the owner of the updater's
// key can make.
#include "core/text.hpp"
#include "formats/common/xml.hpp"
#include "seal/tree.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace signctl::seal {

namespace {

constexpr std::string_view kTag = "<enclosure";
/// The last is NetSparkle's.
constexpr std::array<std::string_view, 3> kSignatures{
    "sparkle:edSignature", "sparkle:dsaSignature", "sparkle:signature"};

class Appcast final : public Dependent {
 public:
  [[nodiscard]] std::string_view name() const override { return "appcast"; }
  [[nodiscard]] std::string_view title() const override { return "Sparkle appcast"; }
  [[nodiscard]] bool recognises(std::string_view file_name, std::string_view text) const override {
    return to_lower(file_name).ends_with(".xml") && text.find("<rss") != std::string_view::npos &&
           text.find(kTag) != std::string_view::npos;
  }
  /// Sparkle's sign_update appends a comment with a signature over all that is before it.
  [[nodiscard]] bool is_signed_inside(std::string_view text) const override {
    return text.find("<!-- sparkle-signatures:") != std::string_view::npos;
  }
  Result<std::vector<Slot>> read(std::string_view file_name, std::string_view text) const override;
};

/// A value in the text.
struct Place {
  std::size_t begin{};
  std::size_t end{};
};

/// The attributes of the tag that begins at `at`; moves `at` behind it. The document is
/// well-formed.
std::map<std::string, Place> attributes_of(std::string_view text, std::size_t& at) {
  std::map<std::string, Place> attributes;
  at = text.find_first_of(" \t\r\n/>", at + 1);
  while (at != std::string_view::npos) {
    at = text.find_first_not_of(" \t\r\n", at);
    if (at == std::string_view::npos || text[at] == '>' || text[at] == '/') {
      break;
    }
    const std::size_t equals = text.find('=', at);
    const std::size_t open = text.find_first_of("\"'", equals);
    if (equals == std::string_view::npos || open == std::string_view::npos) {
      break;
    }
    std::string name(text.substr(at, equals - at));
    name.erase(name.find_last_not_of(" \t\r\n") + 1);
    const std::size_t close = text.find(text[open], open + 1);
    if (close == std::string_view::npos) {
      break;
    }
    attributes[name] = {open + 1, close};
    at = close + 1;
  }
  return attributes;
}

/// Where the next element's tag begins from `at` on, past comments, CDATA and instructions.
std::size_t next_tag(std::string_view text, std::size_t at) {
  while (true) {
    at = text.find('<', at);
    if (at == std::string_view::npos) {
      return at;
    }
    const std::string_view rest = text.substr(at);
    std::string_view end;
    if (rest.starts_with("<!--")) {
      end = "-->";
    } else if (rest.starts_with("<![CDATA[")) {
      end = "]]>";
    } else if (rest.starts_with("<?")) {
      end = "?>";
    } else {
      return at;
    }
    const std::size_t close = text.find(end, at + 2);
    if (close == std::string_view::npos) {
      return close;
    }
    at = close + end.size();
  }
}

/// An attribute's value with what XML itself gives names to; nothing for other entities.
std::optional<std::string> without_entities(std::string_view value) {
  constexpr std::array<std::pair<std::string_view, char>, 6> kEntities{{{"&amp;", '&'},
                                                                        {"&#38;", '&'},
                                                                        {"&lt;", '<'},
                                                                        {"&gt;", '>'},
                                                                        {"&quot;", '"'},
                                                                        {"&apos;", '\''}}};
  std::string text;
  while (!value.empty()) {
    const std::size_t plain = std::min(value.find('&'), value.size());
    text += value.substr(0, plain);
    value.remove_prefix(plain);
    if (value.empty()) {
      break;
    }
    const auto* entity = std::find_if(kEntities.begin(), kEntities.end(), [&](const auto& known) {
      return value.starts_with(known.first);
    });
    if (entity == kEntities.end()) {
      return std::nullopt;
    }
    text += entity->second;
    value.remove_prefix(entity->first.size());
  }
  return text;
}

Result<std::vector<Slot>> Appcast::read(std::string_view, std::string_view text) const {
  SIGNCTL_TRY(const xml::Document document, xml::Document::parse(as_bytes(text)), "");
  std::vector<Slot> slots;
  for (std::size_t at = next_tag(text, 0); at != std::string_view::npos; at = next_tag(text, at)) {
    const std::string_view rest = text.substr(at);
    if (!rest.starts_with(kTag) || rest.size() == kTag.size() ||
        std::string_view(" \t\r\n/>").find(rest[kTag.size()]) == std::string_view::npos) {
      ++at;
      continue;
    }
    const auto attributes = attributes_of(text, at);
    if (at == std::string_view::npos) {
      break;
    }
    const auto value = [&](const std::string& name) {
      const auto found = attributes.find(name);
      return found == attributes.end()
                 ? std::string_view{}
                 : text.substr(found->second.begin, found->second.end - found->second.begin);
    };
    const auto url = without_entities(value("url"));
    Slot slot = slot_for_url(url.value_or(""));
    if (slot.target.empty()) {
      return malformed("an enclosure's url names no file, or holds an entity that is not known");
    }
    const auto add = [&](const std::string& name, Fact fact) {
      if (const auto found = attributes.find(name); found != attributes.end()) {
        slot.label = name;
        slot.fact = fact;
        slot.begin = found->second.begin;
        slot.end = found->second.end;
        slots.push_back(slot);
      }
    };
    // `sparkle:length` is what old versions of Sparkle's sign_update printed.
    for (const std::string_view name : {"length", "sparkle:length"}) {
      if (value(std::string(name)).find_first_not_of("0123456789") != std::string_view::npos) {
        return malformed("an enclosure's length is no number");
      }
      add(std::string(name), Fact::size);
    }
    for (const std::string_view signature : kSignatures) {
      add(std::string(signature), Fact::foreign);
    }
  }
  return slots;
}

}  // namespace

const Dependent& appcast_dependent() {
  static const Appcast instance;
  return instance;
}

}  // namespace signctl::seal
