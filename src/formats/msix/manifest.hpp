// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/finding.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace signctl::msix {

struct Package;

/// A Package element of a bundle's manifest that lies in the bundle itself.
struct BundledPackage {
  std::string file_name;                ///< With `\`.
  std::optional<std::uint64_t> offset;  ///< Of its bytes in the bundle.
  std::optional<std::uint64_t> size;
};

/// What AppxManifest.xml or AppxBundleManifest.xml says of the package.
struct Manifest {
  std::string name;
  std::string publisher;
  std::string version;
  std::string architecture;  ///< Empty for bundles and packages for any.
  std::vector<BundledPackage> packages;
};

/// @errors `input` when it is no manifest, or there is not exactly one Identity with a name and a
///         publisher.
Result<Manifest> read_manifest(ByteView xml, bool bundle);

/// Compares what a bundle's manifest says of its packages with the archive: each there, stored, at
/// its offset, of its size.
[[nodiscard]] std::vector<Finding> check_bundle(const Package& package, const Manifest& manifest);

/// Writes the offset and size of one bundled package into the manifest.
struct Placed {
  std::string file_name;
  std::uint64_t offset{};
  std::uint64_t size{};
};

/// The manifest of a bundle with other places for its packages.
///
/// @errors `input` when the manifest does not have them.
Result<Bytes> move_packages(ByteView xml, const std::vector<Placed>& places);

}  // namespace signctl::msix
