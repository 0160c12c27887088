// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/vsix/package.hpp"

#include <signctl/bytes.hpp>
#include <signctl/signature_scheme.hpp>

#include <string>

namespace signctl::vsix {

/// Checks one signature over the package: its own value, every part that it names, and that it
/// names every part. docs/formats/vsix.md lists the findings.
///
/// @param certificates  DER, of the certificate parts that belong to the signature.
/// @errors `input` when it is not XML; those of reading the package.
Result<SchemeFacts> examine(Package& package,
                            ByteView signature,
                            const std::vector<Bytes>& certificates);

/// What the signature says about when it was made; empty if it does not.
[[nodiscard]] std::string signature_time(ByteView signature);

}  // namespace signctl::vsix
