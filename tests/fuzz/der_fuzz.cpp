// SPDX-License-Identifier: Apache-2.0
// The DER reader: whatever it accepts must write back to the same bytes.

#include "crypto/der.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace signctl;  // NOLINT(google-build-using-namespace): one small program

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

void walk(ByteView bytes, int depth) {
  der::Parser parser(bytes);
  while (!parser.at_end()) {
    const auto element = parser.next("element");
    if (!element) {
      return;
    }
    const Bytes again = der::tlv(element->tag, element->content);
    require(std::equal(again.begin(), again.end(), element->full.begin(), element->full.end()));
    if (element->tag == der::kOid) {
      if (const auto dotted = der::oid_text(element->content)) {
        const Bytes written = der::oid(*dotted);
        require(
            std::equal(written.begin(), written.end(), element->full.begin(), element->full.end()));
      }
    }
    static_cast<void>(der::read_time(*element, "time").has_value());
    static_cast<void>(der::bmp_to_utf8(element->content));
    if ((element->tag & 0x20U) != 0 && depth > 0) {
      walk(element->content, depth - 1);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const ByteView input(bytes, size);
  static_cast<void>(der::check_strict(input).has_value());
  der::Parser parser(input);
  static_cast<void>(der::read_algorithm(parser, "algorithm").has_value());
  static_cast<void>(der::Parser(input).small_integer("number").has_value());
  walk(input, 32);
  return 0;
}
