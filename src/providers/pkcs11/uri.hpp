// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace signctl::providers::pkcs11 {

/// A PKCS#11 URI (RFC 7512), percent-decoded. What is absent matches everything.
struct Uri {
  // About the library (CK_INFO).
  std::optional<std::string> library_description;
  std::optional<std::string> library_manufacturer;
  std::optional<std::string> library_version;
  // About the slot.
  std::optional<std::string> slot_description;
  std::optional<std::string> slot_manufacturer;
  std::optional<std::uint64_t> slot_id;
  // About the token.
  std::optional<std::string> token;
  std::optional<std::string> manufacturer;
  std::optional<std::string> serial;
  std::optional<std::string> model;
  // About the key.
  std::optional<std::string> object;  ///< CKA_LABEL
  std::optional<Bytes> id;            ///< CKA_ID
  std::optional<std::string> type;    ///< "private", "cert" and so on.
  // The query.
  std::optional<std::string> module_path;
  std::optional<std::string> module_name;
  std::optional<std::string> pin_source;
};

/// Reads a URI. Unknown attributes are ignored, as 2.3 wants of vendor attributes.
///
/// @errors `config` for anything malformed, for an attribute given twice, and for `pin-value`,
/// which
///         is a secret in clear. No message quotes a value.
Result<Uri> parse_uri(std::string_view text);

}  // namespace signctl::providers::pkcs11
