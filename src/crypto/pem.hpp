// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace signctl::crypto {

/// One block between BEGIN and END lines (RFC 7468, 2). Views into the text.
struct PemBlock {
  std::string_view label;
  std::string_view full;  ///< With its BEGIN and END lines.
  std::string_view body;  ///< Base64 with line ends; may begin with headers (RFC 1421).
};

/// Takes the first block off the front of `text`; empty label when there is none.
PemBlock next_pem_block(std::string_view& text);

}  // namespace signctl::crypto
