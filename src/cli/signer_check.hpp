// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/context.hpp"
#include "cli/diagnosis.hpp"
#include "cli/settings.hpp"

#include <signctl/engine.hpp>
#include <signctl/provider.hpp>

#include <memory>

namespace signctl::cli {

/// What a signer is to be fit for.
struct SignerUse {
  const config::Config& config;
  DigestAlg digest{DigestAlg::sha256};  ///< Of what it is to sign.
  bool sign_test{false};                ///< Whether `doctor` may spend a signature.
  bool by_default{true};       ///< Whether `sign` takes this signer unless it is told otherwise.
  const engine::Gate* gate{};  ///< That its signatures have to pass; null when there is none.
};

/// What there is to say about one signer: what its provider finds, whether its key signs the
/// digest, whether its chain leads to the gate's anchors, one signature if that is wished for, and
/// for secrets that are being rotated (a list of references) which of them is in use and which may
/// be revoked.
///
/// @return  The session that was looked at, if any. Who keeps those of all signers has each token
///          logged in to once, however many signers use it.
std::unique_ptr<SigningSession> check_signer(Diagnosis& diagnosis,
                                             const SignerChoice& choice,
                                             const SignerUse& use,
                                             Context& context);

}  // namespace signctl::cli
