// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/common/zip_edit.hpp"
#include "formats/vsix/package.hpp"

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace signctl::vsix {

/// A part that a signature brings along.
struct NewPart {
  std::string name;  ///< Of the ZIP entry.
  Bytes bytes;
};

/// What becomes of a package when its signatures are exchanged: what goes, what changes, what
/// comes. The signature part itself comes last and is not in it.
struct Layout {
  std::set<std::size_t> dropped;  ///< Positions in Package::parts().
  ContentTypes types;
  std::optional<std::size_t> root;  ///< Position of the relationships of the package that change.
  std::optional<Bytes> root_text;   ///< What they change to.
  std::vector<NewPart> added;       ///< In the order in which they are written.
  std::string signature_name;       ///< Of the signature part's entry; empty for no signature.
};

/// The package without any signature. Relationships of the package that lead to nothing else go
/// with it, and so do the content types that only signatures need.
Result<Layout> unsigned_layout(const Package& package);

/// The package with one signature, in the shape that VSIXSignTool gives it.
///
/// @param signature_name  Name of the signature part's entry.
Result<Layout> signed_layout(const Package& package, const std::string& signature_name);

/// Tells the archive's editor what `layout` means.
void apply(const Layout& layout, const Package& package, zip::Edit& edit);

}  // namespace signctl::vsix
