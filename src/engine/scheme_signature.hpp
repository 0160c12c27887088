// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/opened_file.hpp"
#include "engine/sign_file.hpp"

#include <signctl/engine.hpp>
#include <signctl/signature_scheme.hpp>

#include <string>

/// The arm of the pipeline for formats whose signatures are not CMS (Signable::scheme()).
namespace signctl::engine {

/// An envelope and where its timestamp came from.
struct SchemeSignature {
  Bytes envelope;
  std::string timestamp_source;  ///< Empty without a timestamp.
};

/// Prepares, has every digest signed and checked, has the last signature timestamped, assembles.
/// The signer's certificate is part of what is signed: when the service signs with another one than
/// it announced, everything is prepared once more with that one.
///
/// @errors `unsupported` when the signer cannot say beforehand which certificate it will use;
///         `provider` when a signature is not by the certificate that came with it, or the
///         certificate changes again.
Result<SchemeSignature> sign_by_scheme(OpenedFile& opened,
                                       const SignOptions& options,
                                       const Stages& stages);

/// `envelope` with a fresh timestamp.
Result<SchemeSignature> restamp_by_scheme(SignatureScheme& scheme,
                                          ByteView envelope,
                                          const SignOptions& options,
                                          Timestamper& timestamper);

}  // namespace signctl::engine
