// SPDX-License-Identifier: Apache-2.0
// Everything that reading a VSIX package can reach. The input is a sequence of files, so that the
// fuzzer changes XML and not checksums: name, newline, length as two octets, bytes.

#include "core/file.hpp"
#include "core/text.hpp"
#include "formats/vsix/signable.hpp"
#include "support/zip_builder.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>

namespace {

signctl::test::ZipSpec read_files(std::string_view data) {
  signctl::test::ZipSpec spec;
  spec.files.clear();
  while (spec.files.size() < 64) {
    const auto line = data.find('\n');
    if (line == std::string_view::npos || data.size() < line + 3) {
      break;
    }
    signctl::test::ZipFile file;
    file.name = std::string(data.substr(0, line));
    const auto size = static_cast<std::size_t>(static_cast<std::uint8_t>(data[line + 1])) |
                      (static_cast<std::size_t>(static_cast<std::uint8_t>(data[line + 2])) << 8U);
    const std::string_view bytes = data.substr(line + 3, size);
    file.bytes = signctl::Bytes(bytes.begin(), bytes.end());
    spec.files.push_back(std::move(file));
    data.remove_prefix(std::min(data.size(), line + 3 + size));
  }
  return spec;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace signctl;
  const auto spec = read_files(as_text({data, size}));
  auto opened = vsix::open_package(std::make_shared<MemorySource>(test::make_zip(spec)));
  if (!opened) {
    return 0;
  }
  static_cast<void>((*opened)->facts());
  static_cast<void>((*opened)->hashed_ranges());
  static_cast<void>((*opened)->container_findings());
  static_cast<void>((*opened)->strip());
  const auto stored = (*opened)->signatures();
  for (std::size_t i = 0; stored && i < stored->size(); ++i) {
    static_cast<void>((*opened)->scheme()->examine((*stored)[i].cms));
    const auto stamped = (*opened)->scheme()->with_timestamp((*stored)[i].cms, Bytes{0x30, 0x00});
    if (stamped) {
      static_cast<void>((*opened)->embed({&*stamped, 1}));
    }
  }
  return 0;
}
