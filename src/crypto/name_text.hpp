// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>

#include <string>
#include <utility>
#include <vector>

namespace signctl::crypto {

/// The attributes of a DER Name in stored order: short type ("CN", "O", a dotted OID if unknown)
/// and value as UTF-8, unescaped. Empty if it cannot be read.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> name_attributes(ByteView name_der);

/// One line for people, most specific first as in RFC 2253: "CN=Contoso Ltd, O=Contoso Ltd, C=US".
/// Safe for a terminal.
[[nodiscard]] std::string name_text(ByteView name_der);

}  // namespace signctl::crypto
