// SPDX-License-Identifier: Apache-2.0
#include "engine/signatory.hpp"

#include "engine/expected_chain.hpp"

#include <utility>

namespace signctl::engine {

namespace {

/// Who is going to sign, for files whose signatures say so; empty for others.
Result<std::optional<Signatory>> expected_signatory(const Signable& file, const Stages& stages) {
  if (!names_signatory(file)) {
    return std::optional<Signatory>{};
  }
  SIGNCTL_TRY(const auto chain, stages.session->expected_chain(), "looking up the certificate");
  if (chain.empty()) {
    return Error{ErrorKind::unsupported,
                 "this file type names its signer inside what is signed, and the signer does not "
                 "say beforehand which certificate it will use",
                 "give the certificate chain with --chain"};
  }
  return std::optional(Signatory{chain.front(), stages.clock->now()});
}

}  // namespace

Result<std::optional<ObtainedSignature>> prepare_and_obtain(OpenedFile& opened,
                                                            Draft& draft,
                                                            const SignatureJob& job,
                                                            const Stages& stages) {
  const SignOptions& options = job.task.options;
  SIGNCTL_TRY(auto by, expected_signatory(*opened.signable, stages), "");
  for (int attempt = 0; attempt < 2; ++attempt) {
    SIGNCTL_TRY(const auto prepared, prepare(*opened.signable, options, job.placement, by), "");
    SIGNCTL_CHECK(draft.fill(), "copying the file");
    SIGNCTL_TRY(auto obtained, obtain_signature(opened, prepared, options, stages, job.reuse), "");
    if (!obtained || obtained->other_signer.empty()) {
      return obtained;
    }
    SIGNCTL_CHECK(check_fits_file(*opened.signable, obtained->other_signer), "");
    by = Signatory{std::move(obtained->other_signer), stages.clock->now()};
  }
  return Error{ErrorKind::provider,
               "the signing service changed its certificate from one signature to the next, twice",
               "run again"};
}

}  // namespace signctl::engine
