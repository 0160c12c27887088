// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/node.hpp"
#include "config/tables.hpp"

#include <map>
#include <string>

namespace signctl::config {

/// Dotted key to origin text.
using Origins = std::map<std::string, std::string>;

/// Checks a document against the tables, all but what is below `signers`, and notes where each
/// value stands. A list of texts is one value; an entry of `steps` is "steps[0]".
Result<void> check_document(const Node& root, const std::string& file, Origins& origins);

/// Whether `node` is a text: a scalar, not empty, one line, no control characters.
Result<void> check_text(const Node& node, const std::string& path, const std::string& file);

/// "known keys: a, b" or "did you mean "a"?".
[[nodiscard]] std::string suggestion(std::string_view word,
                                     const std::vector<std::string>& known,
                                     std::string_view known_are_called);

/// What a plain text may look like; the schema's patterns in C++.
[[nodiscard]] bool is_trust(std::string_view text);
[[nodiscard]] bool is_server(std::string_view text);
[[nodiscard]] bool is_dotted_oid(std::string_view text);
[[nodiscard]] bool is_thumbprint(std::string_view text);
[[nodiscard]] bool is_signer_name(std::string_view text);
/// Whether it looks like env:, file:, exec: or stdin.
[[nodiscard]] bool is_secret_reference(std::string_view text);

}  // namespace signctl::config
