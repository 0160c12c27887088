// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/build_signature.hpp"
#include "engine/opened_file.hpp"
#include "engine/shelf.hpp"
#include "engine/sign_file.hpp"

#include <signctl/result.hpp>

#include <optional>
#include <string>

namespace signctl::engine {

/// Whether signatures that there are already will do.
enum class Reuse { allowed, forbidden };

/// A finished signature, and the claim to it: nobody else makes the same one until it is in its
/// place.
struct ObtainedSignature {
  FinishedSignature signature;
  Claim claim;
  std::string reused;  ///< Where it was found; empty when it was made.
  /// DER of the certificate that signed instead of the one that `prepared` names: there is no
  /// signature then, and all has to be prepared once more. Empty otherwise.
  Bytes other_signer{};
};

/// The signature for `prepared`: one that there is already, or a new one. A signature that was paid
/// for is kept before anything else can fail, so that a failure after it, be it of every timestamp
/// server, never causes a second one.
///
/// @return  Empty when somebody else has changed the file since it was opened: another run that
///          signed it while this one waited for the claim.
Result<std::optional<ObtainedSignature>> obtain_signature(const OpenedFile& opened,
                                                          const UnsignedSignature& prepared,
                                                          const SignOptions& options,
                                                          const Stages& stages,
                                                          Reuse reuse);

}  // namespace signctl::engine
