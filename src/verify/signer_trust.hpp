// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"

#include <signctl/trust_store.hpp>

#include <memory>

namespace signctl::verify {

/// `base`, and for `--dev` or `gate.trust: signer` also `signer`, the certificate that signed, if
/// it is self-signed: for code signing as it is, for time stamping with the rehearsal mark only, so
/// that nobody can date a signature with an authority of his own making. Roots that a file
/// brings along above a signer are no anchors.
[[nodiscard]] std::shared_ptr<const TrustStore> with_signer(std::shared_ptr<const TrustStore> base,
                                                            const crypto::Certificate& signer);

}  // namespace signctl::verify
