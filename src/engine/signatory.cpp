// SPDX-License-Identifier: Apache-2.0
#include "engine/signatory.hpp"

#include "core/text.hpp"
#include "crypto/certificate.hpp"

#include <utility>

namespace signctl::engine {

namespace {

/// Refuses a certificate that the file itself rules out.
Result<void> check_fits_file(Signable& file, ByteView leaf_der) {
  SIGNCTL_TRY(const auto findings, file.check_certificate(leaf_der), "");
  for (const Finding& finding : findings) {
    if (finding.severity == Severity::error) {
      return Error{ErrorKind::input, finding.message, finding.hint};
    }
  }
  return ok();
}

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

Result<void> check_expected_chain(Signable& file, const Stages& stages) {
  SIGNCTL_TRY(const auto chain, stages.session->expected_chain(), "looking up the certificate");
  if (chain.empty()) {
    return ok();
  }
  SIGNCTL_TRY(
      const auto leaf, crypto::Certificate::parse(chain.front()), "reading the certificate");
  const TimePoint now = stages.clock->now();
  const std::string who = "the signing certificate \"" + leaf.info().subject + "\" ";
  if (now > leaf.not_after()) {
    return Error{ErrorKind::auth,
                 who + "expired on " + to_iso8601(leaf.not_after()),
                 "renew it, or for a rehearsal make a new one with signctl dev-cert"};
  }
  if (now < leaf.not_before()) {
    return Error{ErrorKind::auth,
                 who + "is not valid before " + to_iso8601(leaf.not_before()),
                 "check the clock of this machine"};
  }
  return check_fits_file(file, chain.front());
}

Result<std::optional<ObtainedSignature>> prepare_and_obtain(OpenedFile& opened,
                                                            Draft& draft,
                                                            const FileTask& task,
                                                            const Placement& placement,
                                                            const Stages& stages,
                                                            Reuse reuse) {
  SIGNCTL_TRY(auto by, expected_signatory(*opened.signable, stages), "");
  for (int attempt = 0; attempt < 2; ++attempt) {
    SIGNCTL_TRY(const auto prepared, prepare(*opened.signable, task.options, placement, by), "");
    SIGNCTL_CHECK(draft.fill(), "copying the file");
    SIGNCTL_TRY(auto obtained, obtain_signature(opened, prepared, task.options, stages, reuse), "");
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
