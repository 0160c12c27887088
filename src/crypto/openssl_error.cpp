// SPDX-License-Identifier: Apache-2.0
#include "crypto/openssl_error.hpp"

#include <array>
#include <utility>

#include <openssl/err.h>

namespace signctl::crypto {

std::string drain_errors() {
  std::string text;
  while (const unsigned long code = ERR_get_error()) {
    std::array<char, 256> line{};
    ERR_error_string_n(code, line.data(), line.size());
    text += text.empty() ? "" : "; ";
    text += line.data();
  }
  return text.empty() ? "no detail" : text;
}

Error openssl_error(ErrorKind kind, std::string what) {
  return {kind, std::move(what) + " (" + drain_errors() + ")"};
}

}  // namespace signctl::crypto
