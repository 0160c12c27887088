// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "support/zip_builder.hpp"

#include <signctl/bytes.hpp>

#include <string>

/// A small app package for the tests of the format, and lies for its block map.
namespace signctl::test {

inline Bytes text(const std::string& value) {
  return {value.begin(), value.end()};
}

/// What the block map says of a.bin.
struct Lie {
  std::string size{"5"};
  std::string lfh{"35"};
  std::string hash{to_base64(crypto::hash(DigestAlg::sha256, as_bytes("hello")))};
  std::string more{};
};

inline const std::string kManifest =
    "<Package xmlns=\"urn:m\"><Identity Name=\"A\" Publisher=\"CN=A\" "
    "Version=\"1.0.0.0\"/></Package>";

/// A package of one stored file, and of its manifest.
inline ZipSpec msix_package(const Lie& lie = {}) {
  const std::string manifest_hash = to_base64(crypto::hash(DigestAlg::sha256, as_bytes(kManifest)));
  const std::string map =
      "<BlockMap xmlns=\"http://schemas.microsoft.com/appx/2010/blockmap\" "
      "HashMethod=\"http://www.w3.org/2001/04/xmlenc#sha256\"><File Name=\"a.bin\" Size=\"" +
      lie.size + "\" LfhSize=\"" + lie.lfh + "\"><Block Hash=\"" + lie.hash +
      "\"/></File><File Name=\"AppxManifest.xml\" Size=\"" + std::to_string(kManifest.size()) +
      "\" LfhSize=\"46\"><Block Hash=\"" + manifest_hash + "\"/></File>" + lie.more + "</BlockMap>";
  ZipSpec spec;
  spec.files = {{"a.bin", text("hello")},
                {"AppxManifest.xml", text(kManifest)},
                {"AppxBlockMap.xml", text(map)},
                {"[Content_Types].xml",
                 text("<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/"
                      "content-types\"></Types>")}};
  return spec;
}

}  // namespace signctl::test
