// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/context.hpp"
#include "cli/diagnosis.hpp"
#include "cli/settings.hpp"

namespace signctl::cli {

/// Whether `doctor` may spend a signature.
enum class SignTest { no, yes };

/// What there is to say about one signer: what its provider finds, one signature if that is wished
/// for, and for secrets that are being rotated (a list of references) which of them is in use and
/// which may be revoked.
void check_signer(Diagnosis& diagnosis,
                  const SignerChoice& choice,
                  SignTest test,
                  Context& context);

}  // namespace signctl::cli
