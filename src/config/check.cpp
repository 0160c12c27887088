// SPDX-License-Identifier: Apache-2.0
#include "config/check.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

namespace signctl::config {
namespace {

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kShown = 80;
  return '"' + printable(text.substr(0, kShown)) + (text.size() > kShown ? "...\"" : "\"");
}

std::string list_of(std::span<const std::string_view> words) {
  const std::vector<std::string> copies(words.begin(), words.end());
  return join(copies, ", ");
}

std::string below(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

class Checker {
 public:
  Checker(const std::string& file, Origins& origins) : file_(file), origins_(origins) {}

  Result<void> check_section(const Node& node, const Section& section, const std::string& path) {
    if (node.kind != NodeKind::mapping) {
      return wrong(node, path, "must be a mapping of keys to values");
    }
    for (const Entry& entry : node.entries) {
      SIGNCTL_CHECK(check_entry(entry, section, path), "");
    }
    for (const KeySpec& spec : section.keys) {
      if (spec.need == Need::required && node.find(spec.key) == nullptr) {
        return error_at(file_,
                        node,
                        below(path, spec.key) + " is missing",
                        "add \"" + std::string(spec.key) + ": " + std::string(spec.example) + "\"");
      }
    }
    return ok();
  }

 private:
  Error wrong(const Node& node, const std::string& path, const std::string& what) const {
    return error_at(file_, node, (path.empty() ? "the document" : path) + " " + what);
  }

  Result<void> check_entry(const Entry& entry, const Section& section, const std::string& path) {
    const KeySpec* spec = section.find(entry.key);
    if (spec != nullptr) {
      return check_value(entry.value, *spec, below(path, entry.key));
    }
    const std::string at = place(file_, entry.line, entry.column);
    const auto reserved = std::ranges::find(reserved_keys(), entry.key, &ReservedKey::key);
    if (path.empty() && reserved != reserved_keys().end()) {
      return Error{ErrorKind::unsupported,
                   at + "this version cannot enforce " + in_quotes(entry.key) + " (" +
                       std::string(reserved->purpose) + "), so it refuses rather than ignores it",
                   "take the section out, or use a version that has it"};
    }
    return Error{ErrorKind::config,
                 at + "unknown key " + in_quotes(entry.key) + (path.empty() ? "" : " in " + path),
                 suggestion(entry.key, section.key_names(), "known keys")};
  }

  Result<void> check_value(const Node& node, const KeySpec& spec, const std::string& path) {
    switch (spec.type) {
      case ValueType::section:
        return check_section(node, *spec.section, path);
      case ValueType::section_list:
        return check_sections(node, spec, path);
      case ValueType::signers:
        return node.kind == NodeKind::mapping
                   ? ok()
                   : Result<void>(wrong(node, path, "must be a mapping of names to signers"));
      case ValueType::text_map:
      case ValueType::number_map:
        return check_map(node, spec, path);
      case ValueType::text_list:
      case ValueType::url_list:
      case ValueType::trust_list:
      case ValueType::oid_list:
        note(node, path);
        return check_list(node, spec, path);
      case ValueType::text:
      case ValueType::integer:
      case ValueType::boolean:
      case ValueType::duration:
      case ValueType::choice:
      case ValueType::thumbprint:
        note(node, path);
        return check_leaf(node, spec, path);
    }
    return ok();
  }

  void note(const Node& node, const std::string& path) {
    std::string origin = place(file_, node.line, node.column);
    origin.resize(origin.size() - 2);  // without ": "
    origins_[path] = std::move(origin);
  }

  Result<void> check_sections(const Node& node, const KeySpec& spec, const std::string& path) {
    if (node.kind != NodeKind::sequence) {
      return wrong(node, path, "must be a list");
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      SIGNCTL_CHECK(
          check_section(node.items[i], *spec.section, path + "[" + std::to_string(i) + "]"), "");
    }
    return ok();
  }

  Result<void> check_map(const Node& node, const KeySpec& spec, const std::string& path) {
    const bool numbers = spec.type == ValueType::number_map;
    if (node.kind != NodeKind::mapping || node.entries.empty()) {
      return wrong(node,
                   path,
                   std::string("must be a mapping of names to ") + (numbers ? "numbers" : "texts"));
    }
    for (const Entry& entry : node.entries) {
      const std::string key = below(path, printable(entry.key));
      note(entry.value, below(path, entry.key));
      SIGNCTL_CHECK(check_text(entry.value, key, file_), "");
      if (numbers) {
        SIGNCTL_CHECK(check_integer(entry.value, spec, key), "");
      }
    }
    return ok();
  }

  Result<void> check_list(const Node& node, const KeySpec& spec, const std::string& path) {
    if (node.kind != NodeKind::sequence) {
      return check_leaf(node, spec, path);
    }
    if (node.items.empty()) {
      return wrong(node, path, "must not be an empty list");
    }
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      SIGNCTL_CHECK(check_leaf(node.items[i], spec, path + "[" + std::to_string(i) + "]"), "");
    }
    return ok();
  }

  Result<void> check_leaf(const Node& node, const KeySpec& spec, const std::string& path) {
    SIGNCTL_CHECK(check_text(node, path, file_), "");
    switch (spec.type) {
      case ValueType::integer:
        return check_integer(node, spec, path);
      case ValueType::boolean:
        if (node.quoting == Quoting::quoted || (node.text != "true" && node.text != "false")) {
          return wrong(node, path, "must be true or false");
        }
        return ok();
      case ValueType::duration:
        if (!parse_duration(node.text)) {
          return wrong(node, path, "must be a duration such as 500ms, 30s, 15m or 2h");
        }
        return ok();
      case ValueType::choice:
        return check_choice(node, spec, path);
      case ValueType::url_list:
        return check_url(node, path);
      case ValueType::trust_list:
        return check_trust(node, path);
      case ValueType::oid_list:
        if (!is_dotted_oid(node.text)) {
          return wrong(node, path, "must be a dotted object identifier such as 1.3.6.1.5.5.7.3.3");
        }
        return ok();
      case ValueType::thumbprint:
        return check_thumbprint(node, path);
      case ValueType::text:
      case ValueType::text_list:
      case ValueType::text_map:
      case ValueType::number_map:
      case ValueType::section:
      case ValueType::section_list:
      case ValueType::signers:
        return ok();
    }
    return ok();
  }

  Result<void> check_integer(const Node& node, const KeySpec& spec, const std::string& path) {
    long value = 0;
    const char* end = node.text.data() + node.text.size();
    const auto parsed = std::from_chars(node.text.data(), end, value);
    if (node.quoting == Quoting::quoted || parsed.ec != std::errc{} || parsed.ptr != end) {
      return wrong(node, path, "must be a whole number");
    }
    if (value >= spec.min && value <= spec.max) {
      return ok();
    }
    if (spec.min == spec.max) {
      return error_at(file_,
                      node,
                      path + " must be " + std::to_string(spec.min) + ", not " + node.text,
                      "this signctl reads version 1 of the config format only");
    }
    return wrong(node,
                 path,
                 "must be from " + std::to_string(spec.min) + " to " + std::to_string(spec.max) +
                     ", not " + node.text);
  }

  Result<void> check_choice(const Node& node, const KeySpec& spec, const std::string& path) {
    if (std::ranges::find(spec.choices, node.text) != spec.choices.end()) {
      return ok();
    }
    if (path == "gate.revocation" && node.text == "hard") {
      return Error{
          ErrorKind::unsupported,
          place(file_, node.line, node.column) +
              "gate.revocation: this version looks up no revocation, so it refuses \"hard\" "
              "rather than weaken it",
          "use \"soft\""};
    }
    const std::vector<std::string> known(spec.choices.begin(), spec.choices.end());
    return error_at(
        file_,
        node,
        path + " must be one of " + list_of(spec.choices) + ", not " + in_quotes(node.text),
        did_you_mean(node.text, known) ? suggestion(node.text, known, "") : "");
  }

  Result<void> check_url(const Node& node, const std::string& path) {
    if (is_server(node.text)) {
      return ok();
    }
    // Not repeated: it may carry a password.
    return error_at(file_,
                    node,
                    path + " must be an http:// or https:// address without user name or password",
                    "for example http://timestamp.digicert.com");
  }

  Result<void> check_trust(const Node& node, const std::string& path) {
    if (is_trust(node.text)) {
      return ok();
    }
    if (node.text == "microsoft") {
      return Error{ErrorKind::unsupported,
                   place(file_, node.line, node.column) + path +
                       ": this version comes without the list of Microsoft's root certificates",
                   "put the roots you trust into a PEM file and use \"file:PATH\""};
    }
    return error_at(file_,
                    node,
                    path + " must be system, signer or file:PATH, not " + in_quotes(node.text),
                    suggestion(node.text, {"system", "signer"}, ""));
  }

  Result<void> check_thumbprint(const Node& node, const std::string& path) {
    if (is_thumbprint(node.text)) {
      return ok();
    }
    const bool looks_like_sha1 = node.text.size() == 40 && from_hex(node.text).has_value();
    return error_at(
        file_,
        node,
        path + " must be the SHA-256 thumbprint of the certificate, 64 hex digits",
        looks_like_sha1 ? "this looks like a SHA-1 thumbprint, which can be forged" : "");
  }

  const std::string& file_;
  Origins& origins_;
};

}  // namespace

std::string suggestion(std::string_view word,
                       const std::vector<std::string>& known,
                       std::string_view known_are_called) {
  if (const auto near = did_you_mean(word, known)) {
    return "did you mean \"" + *near + "\"?";
  }
  return known_are_called.empty() ? std::string()
                                  : std::string(known_are_called) + ": " + join(known, ", ");
}

Result<void> check_text(const Node& node, const std::string& path, const std::string& file) {
  if (node.kind == NodeKind::null || (node.kind == NodeKind::scalar && node.text.empty())) {
    return error_at(file, node, path + " must not be empty", "give it a value or take the key out");
  }
  if (node.kind != NodeKind::scalar) {
    return error_at(file, node, path + " must be a single value");
  }
  const auto is_control = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20U || byte == 0x7FU;
  };
  if (std::ranges::any_of(node.text, is_control)) {
    return error_at(file, node, path + " must be one line without control characters");
  }
  return ok();
}

Result<void> check_document(const Node& root, const std::string& file, Origins& origins) {
  if (root.kind == NodeKind::null) {
    return error_at(file, root, "the document is empty", "`signctl init` writes one to start from");
  }
  return Checker(file, origins).check_section(root, root_section(), "");
}

}  // namespace signctl::config
