// SPDX-License-Identifier: Apache-2.0
#include "engine/sign_file.hpp"

#include "core/assert.hpp"
#include "core/block_reader.hpp"
#include "core/text.hpp"
#include "crypto/certificate.hpp"
#include "crypto/digest.hpp"
#include "engine/build_signature.hpp"
#include "engine/draft.hpp"
#include "engine/gate.hpp"
#include "engine/inside.hpp"
#include "engine/opened_file.hpp"
#include "engine/sign_inside.hpp"

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

/// The input, read once more if the session wants its hash.
class InputFacts final : public FileFacts {
 public:
  InputFacts(const ByteSource& source, const Bytes& digest) : source_(source), digest_(digest) {}

  [[nodiscard]] Result<Bytes> sha256() const override {
    crypto::Hasher hasher(DigestAlg::sha256);
    BlockVisitor visitor;
    visitor.visit = [&](std::uint64_t /*offset*/, ByteView block) {
      hasher.update(block);
      return true;
    };
    SIGNCTL_CHECK(for_each_block(source_, 0, source_.size(), visitor), "hashing the whole file");
    return hasher.finish();
  }

  [[nodiscard]] const Bytes& content_digest() const override { return digest_; }

 private:
  const ByteSource& source_;
  const Bytes& digest_;
};

Result<SignedDigest> spend_signature(const OpenedFile& opened,
                                     const UnsignedSignature& prepared,
                                     const Stages& stages) {
  const InputFacts facts(*opened.source, prepared.content.file_digest);
  SIGNCTL_CHECK(stages.session->about_to_sign(facts), "announcing the file to the signing service");
  return stages.session->sign(prepared.to_be_signed, prepared.content.alg);
}

/// Refuses a file whose contents are not fit to be signed over, before a signature is spent.
Result<std::optional<FileOutcome>> answer_inside(OpenedFile& opened,
                                                 const FileTask& task,
                                                 const Stages& stages) {
  using Answer = std::optional<FileOutcome>;
  const Gate& gate = *stages.gate;
  if (gate.rules.nested != NestedRule::require_signed) {
    return Answer{};
  }
  FileOutcome outcome;
  const TimePoint now = stages.clock->now();
  SIGNCTL_CHECK(
      look_inside(*opened.signable, {gate.store, gate.trust_signer, now}, {}, outcome.report), "");
  outcome.report.judged_at = now;
  outcome.report.format = std::string(opened.format->name());
  outcome.report.size_bytes = opened.source->size();
  outcome.report.path = task.input;
  outcome.path = task.input;
  outcome.verdict.findings = judge_inside(outcome.report, gate.rules);
  return outcome.verdict.findings.empty() ? Answer{} : Answer{std::move(outcome)};
}

/// Everything but opening, once nothing speaks against signing what is inside.
Result<FileOutcome> sign_alone(OpenedFile& opened, const FileTask& task, Stages& stages) {
  SIGNCTL_CHECK(check_expected_chain(*opened.signable, stages), "");
  SIGNCTL_TRY(Placement placement, place(*opened.signable, task.options.if_signed), "");
  // Copying and reading back start here, beside the hashing; a target that cannot be written costs
  // no signature.
  SIGNCTL_TRY(Draft draft,
              Draft::begin_read_back(opened, task.output, task.options.digest),
              "creating the draft");
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

Result<FileOutcome> sign_opened(OpenedFile& opened, const FileTask& task, Stages& stages) {
  SIGNCTL_TRY(auto answer, answer_existing(opened, task, stages), "");
  if (answer) {
    return std::move(*answer);
  }
  SIGNCTL_TRY(answer, answer_inside(opened, task, stages), "");
  return answer ? std::move(*answer) : sign_alone(opened, task, stages);
}

/// A signature of its own would be over contents that are about to change.
Result<void> check_repackable(OpenedFile& opened, const FileTask& task) {
  SIGNCTL_TRY(const auto stored, opened.signable->signatures(), "reading the signatures");
  if (!stored.empty() && task.options.if_signed == IfSigned::append) {
    return Error{ErrorKind::input,
                 "the file is signed already, and signing what is inside breaks that signature",
                 "say --if-signed replace"};
  }
  return ok();
}

/// Puts what was packed anew in its place, for types that carry no signature themselves.
Result<FileOutcome> place_unsigned(OpenedFile& packed, const FileTask& task, Stages& stages) {
  SIGNCTL_TRY(Draft draft, Draft::begin(packed.source, task.output), "creating the draft");
  SIGNCTL_CHECK(draft.apply(PatchSet{packed.source->size(), {}}), "writing the draft");
  SIGNCTL_TRY(OpenedFile written, open_draft(draft.path(), packed), "reading the draft back");
  SIGNCTL_TRY(FileOutcome outcome, judge_file(written, *stages.gate, stages.clock->now()), "");
  outcome.path = task.output;
  outcome.report.path = task.output;
  if (outcome.state == FileState::done) {
    SIGNCTL_CHECK(draft.commit(), "putting the file in place");
  }
  return outcome;
}

/// First what is inside, then the file.
Result<FileOutcome> sign_deep(OpenedFile& opened, const FileTask& task, Stages& stages) {
  const bool takes_signature = opened.format->capabilities().sign;
  if (takes_signature) {
    SIGNCTL_TRY(auto answer, answer_existing(opened, task, stages), "");
    if (answer) {
      return std::move(*answer);
    }
    SIGNCTL_CHECK(check_repackable(opened, task), "");
    SIGNCTL_CHECK(check_expected_chain(*opened.signable, stages), "");
  }
  SIGNCTL_TRY(auto repacked, sign_inside(opened, task, stages, sign_opened), "");
  if (!repacked) {
    return takes_signature ? sign_opened(opened, task, stages)
                           : skipped(task.input, "everything inside is signed already");
  }
  SIGNCTL_TRY(const FileIdentity now, opened.source->identity_now(), "looking at the input again");
  if (now != opened.source->identity()) {
    return Error{ErrorKind::input,
                 "the file was changed by somebody else while it was packed anew"};
  }
  SIGNCTL_TRY(OpenedFile packed,
              open_draft(repacked->file.temporary_path(), opened),
              "reading what was packed anew");
  SIGNCTL_TRY(
      FileOutcome outcome,
      takes_signature ? sign_opened(packed, task, stages) : place_unsigned(packed, task, stages),
      "");
  outcome.signed_inside = std::move(repacked->paths);
  return outcome;
}

}  // namespace

Result<FileOutcome> sign_file(const FileTask& task, Stages& stages) {
  SIGNCTL_ASSERT(stages.session != nullptr && stages.gate != nullptr && stages.clock != nullptr);
  SIGNCTL_TRY(OpenedFile opened, open_file(task.input), "");
  auto outcome =
      task.options.deep ? sign_deep(opened, task, stages) : sign_opened(opened, task, stages);
  if (!outcome) {
    return std::move(outcome).error().within("signing " + task.input);
  }
  return outcome;
}

}  // namespace signctl::engine
