// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/msi/compound_file.hpp"

#include <signctl/patch_set.hpp>
#include <signctl/result.hpp>

#include <optional>

namespace signctl::msi {

/// The signature streams that a file is to have. Empty optionals: the file is to have none.
struct SignatureStreams {
  std::optional<Bytes> prehash;    ///< \5MsiDigitalSignatureEx
  std::optional<Bytes> signature;  ///< \5DigitalSignature
};

/// The edits that make these the file's signature streams. Only what must change is touched: the
/// header, the sectors of the tables and of the directory that differ, and the streams themselves.
/// Sectors that nothing refers to do not stay: the last ones of the file take their place.
///
/// @errors `unsupported` when the directory or the file would become too large.
Result<PatchSet> edit_signatures(const CompoundFile& file, const SignatureStreams& streams);

}  // namespace signctl::msi
