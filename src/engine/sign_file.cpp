// SPDX-License-Identifier: Apache-2.0
#include "engine/sign_file.hpp"

#include "core/assert.hpp"
#include "core/text.hpp"
#include "crypto/certificate.hpp"
#include "engine/build_signature.hpp"
#include "engine/draft.hpp"
#include "engine/gate.hpp"
#include "engine/input_facts.hpp"
#include "engine/opened_file.hpp"
#include "engine/scheme_signature.hpp"

#include <optional>
#include <utility>

namespace signctl::engine {

namespace {

FileOutcome skipped(const std::string& path, std::string reason) {
  FileOutcome outcome;
  outcome.state = FileState::skipped;
  outcome.path = path;
  outcome.reason = std::move(reason);
  return outcome;
}

/// Deals with `fail` and `skip_valid`. An outcome means that there is nothing to sign.
Result<std::optional<FileOutcome>> answer_existing(OpenedFile& opened,
                                                   const FileTask& task,
                                                   const Stages& stages) {
  using Answer = std::optional<FileOutcome>;
  const IfSigned rule = task.options.if_signed;
  if (rule == IfSigned::append || rule == IfSigned::replace) {
    return Answer{};
  }
  SIGNCTL_TRY(const auto stored, opened.signable->signatures(), "reading the signatures");
  if (stored.empty()) {
    return Answer{};
  }
  if (rule == IfSigned::fail) {
    return Error{ErrorKind::input,
                 "the file is signed already",
                 "say what you want: --if-signed skip-valid, append or replace"};
  }
  SIGNCTL_TRY(FileOutcome outcome, judge_file(opened, *stages.gate, stages.clock->now()), "");
  if (outcome.state != FileState::done) {
    return Answer{};
  }
  FileOutcome skip = skipped(task.input, "already signed, and the signature passes the gate");
  skip.report = std::move(outcome.report);
  skip.verdict = std::move(outcome.verdict);
  return Answer{std::move(skip)};
}

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

/// Refuses an expired certificate, and one that the file rules out, before a signature is spent.
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

Result<SignedDigest> spend_signature(const OpenedFile& opened,
                                     const UnsignedSignature& prepared,
                                     const Stages& stages) {
  const InputFacts facts(*opened.source, prepared.content.file_digest);
  SIGNCTL_CHECK(stages.session->about_to_sign(facts), "announcing the file to the signing service");
  return stages.session->sign(prepared.to_be_signed, prepared.content.alg);
}

/// The rest of sign_opened() for formats whose signatures are not CMS. They hold one.
Result<FileOutcome> sign_opened_by_scheme(OpenedFile& opened,
                                          const FileTask& task,
                                          Draft draft,
                                          const Stages& stages) {
  SIGNCTL_CHECK(draft.fill(), "copying the file");
  SIGNCTL_TRY(SchemeSignature finished, sign_by_scheme(opened, task.options, stages), "");
  SIGNCTL_TRY(FileOutcome outcome,
              embed_and_commit(opened, std::move(draft), {&finished.envelope, 1}, stages),
              "");
  outcome.path = task.output;
  outcome.timestamp_source = std::move(finished.timestamp_source);
  return outcome;
}

Result<FileOutcome> sign_opened(OpenedFile& opened, const FileTask& task, Stages& stages) {
  SIGNCTL_TRY(auto answer, answer_existing(opened, task, stages), "");
  if (answer) {
    return std::move(*answer);
  }
  SIGNCTL_CHECK(check_expected_chain(*opened.signable, stages), "");
  SIGNCTL_TRY(Placement placement, place(*opened.signable, task.options.if_signed), "");
  // Copying starts here, beside the hashing; a target that cannot be written costs no signature.
  SIGNCTL_TRY(Draft draft, Draft::begin(opened.source, task.output), "creating the draft");
  if (opened.signable->scheme() != nullptr) {
    return sign_opened_by_scheme(opened, task, std::move(draft), stages);
  }
  SIGNCTL_TRY(const auto prepared, prepare(*opened.signable, task.options, placement), "");
  SIGNCTL_CHECK(draft.fill(), "copying the file");
  SIGNCTL_TRY(
      const SignedDigest made, spend_signature(opened, prepared, stages), "signing the digest");
  // The signature is valid from here on, but only for as long as its certificate.
  SIGNCTL_TRY(auto finished, finish(prepared, made, task.options, stages.timestamper), "");
  SIGNCTL_TRY(const auto signatures, combine(std::move(placement), std::move(finished.cms)), "");
  SIGNCTL_TRY(
      FileOutcome outcome, embed_and_commit(opened, std::move(draft), signatures, stages), "");
  outcome.path = task.output;
  outcome.timestamp_source = std::move(finished.timestamp_source);
  return outcome;
}

}  // namespace

Result<FileOutcome> sign_file(const FileTask& task, Stages& stages) {
  SIGNCTL_ASSERT(stages.session != nullptr && stages.gate != nullptr && stages.clock != nullptr);
  SIGNCTL_TRY(OpenedFile opened, open_file(task.input), "");
  auto outcome = sign_opened(opened, task, stages);
  if (!outcome) {
    return std::move(outcome).error().within("signing " + task.input);
  }
  return outcome;
}

}  // namespace signctl::engine
