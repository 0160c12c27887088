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

/// Signs an opened file and puts it in its place if it passes the gate. What a run keeps for the
/// next is CMS, so that these signatures are made anew each time.
Result<FileOutcome> sign_file_by_scheme(OpenedFile& opened,
                                        const FileTask& task,
                                        const Stages& stages);

/// `envelope` with a fresh timestamp.
Result<SchemeSignature> restamp_by_scheme(SignatureScheme& scheme,
                                          ByteView envelope,
                                          const SignOptions& options,
                                          Timestamper& timestamper);

}  // namespace signctl::engine
