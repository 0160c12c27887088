// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/signature_scheme.hpp>

namespace signctl::clickonce {

/// @errors `unsupported` for any other than sha256, the only one that .NET reads.
Result<void> check_digest(DigestAlg alg);

/// What is to be signed for `manifest`, which loses whatever signature it had.
///
/// Order of `to_be_signed`: strong-name signature, Authenticode signature.
///
/// @errors `unsupported` for anything but RSA with sha256, which is all that .NET reads.
Result<SchemeDraft> prepare(ByteView manifest, const SchemeRequest& request);

/// The complete signed manifest.
Result<Bytes> assemble(const SchemeDraft& draft,
                       const std::vector<Bytes>& signatures,
                       ByteView token);

/// `manifest` with `token` as its only timestamp.
Result<Bytes> with_timestamp(ByteView manifest, ByteView token);

/// `manifest` without signature and publisher, publicKeyToken all zeros.
Result<Bytes> without_signature(ByteView manifest);

}  // namespace signctl::clickonce
