// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/vsix/package.hpp"

#include <signctl/bytes.hpp>
#include <signctl/signature_scheme.hpp>

#include <string>

namespace signctl::vsix {

/// Refuses what the gate would refuse afterwards, before a signature is spent.
///
/// @errors `input` for an entry that no signature covers.
Result<void> check_signable(const Package& package);

/// What is to be signed for the package as it will be: one digest.
///
/// @errors `unsupported` for keys that are neither RSA nor EC; `input` for a file without a content
///         type, which no signature covers.
Result<SchemeDraft> prepare(Package& package, const SchemeRequest& request);

/// The signature part, without a timestamp.
Result<Bytes> assemble(const SchemeDraft& draft, const std::vector<Bytes>& signatures);

/// `signature` with `token` as its only timestamp. Nothing that is signed changes.
Result<Bytes> with_timestamp(ByteView signature, ByteView token);

/// Name of the ZIP entry for a signature: after the first certificate in it, as VSIXSignTool's
/// successors do it.
///
/// @errors `input` when there is no certificate in it.
Result<std::string> signature_name(ByteView signature);

}  // namespace signctl::vsix
