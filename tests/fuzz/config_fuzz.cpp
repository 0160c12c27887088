// SPDX-License-Identifier: Apache-2.0
#include "config/config.hpp"
#include "core/text.hpp"

#include <cstddef>
#include <cstdlib>

/// Any text is a config or an error with words, and an error shows no control characters.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signctl;
  const auto config = config::parse(as_text({data, size}), "signctl.yaml");
  if (!config && (config.error().message.empty() ||
                  config.error().message != printable(config.error().message))) {
    std::abort();
  }
  return 0;
}
