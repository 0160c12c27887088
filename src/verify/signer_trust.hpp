// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"

#include <signctl/trust_store.hpp>

#include <memory>
#include <span>

namespace signctl::verify {

/// `base`, and for `--dev` or `gate.trust: signer` also the self-signed certificates among
/// `embedded`: for code signing any of them, for time stamping those with the rehearsal mark, so
/// that nobody can date a signature with an authority of his own making.
[[nodiscard]] std::shared_ptr<const TrustStore> with_signer(
    std::shared_ptr<const TrustStore> base, std::span<const crypto::Certificate> embedded);

}  // namespace signctl::verify
