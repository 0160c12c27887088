// SPDX-License-Identifier: Apache-2.0
#include "engine/sign_file.hpp"

#include "core/assert.hpp"
#include "core/text.hpp"
#include "crypto/certificate.hpp"
#include "engine/build_signature.hpp"
#include "engine/draft.hpp"
#include "engine/gate.hpp"
#include "engine/obtain_signature.hpp"
#include "engine/opened_file.hpp"
#include "engine/shelf.hpp"

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

/// A file that an earlier run signed, before it came to an untimely end, is finished if it passes.
Result<std::optional<FileOutcome>> answer_by_journal(OpenedFile& opened,
                                                     const FileTask& task,
                                                     const Stages& stages) {
  using Answer = std::optional<FileOutcome>;
  if (stages.shelf == nullptr || task.input != task.output) {
    return Answer{};
  }
  SIGNCTL_TRY(const auto stored, stored_signatures(*opened.signable), "");
  if (!stages.shelf->made_any_of(stored)) {
    return Answer{};
  }
  SIGNCTL_TRY(FileOutcome outcome, judge_file(opened, *stages.gate, stages.clock->now()), "");
  if (outcome.state != FileState::done) {
    return Answer{};
  }
  SIGNCTL_CHECK(stages.shelf->note_done(stored), "");
  FileOutcome skip = skipped(task.input, "signed by an earlier run, and verified again");
  skip.report = std::move(outcome.report);
  skip.verdict = std::move(outcome.verdict);
  return Answer{std::move(skip)};
}

/// Deals with `fail` and `skip_valid`. An outcome means that there is nothing to sign.
Result<std::optional<FileOutcome>> answer_existing(OpenedFile& opened,
                                                   const FileTask& task,
                                                   const Stages& stages) {
  using Answer = std::optional<FileOutcome>;
  SIGNCTL_TRY(auto finished_before, answer_by_journal(opened, task, stages), "");
  if (finished_before) {
    return finished_before;
  }
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

/// Signs one opened file; empty when another run has done so meanwhile, and it is to be looked at
/// once more.
Result<std::optional<FileOutcome>> sign_opened(OpenedFile& opened,
                                               const FileTask& task,
                                               Stages& stages,
                                               Reuse reuse) {
  using Answer = std::optional<FileOutcome>;
  SIGNCTL_TRY(auto answer, answer_existing(opened, task, stages), "");
  if (answer) {
    return answer;
  }
  SIGNCTL_CHECK(check_expected_chain(*opened.signable, stages), "");
  SIGNCTL_TRY(Placement placement, place(*opened.signable, task.options.if_signed), "");
  // Copying starts here, beside the hashing; a target that cannot be written costs no signature.
  SIGNCTL_TRY(Draft draft, Draft::begin(opened.source, task.output), "creating the draft");
  SIGNCTL_TRY(const auto prepared, prepare(*opened.signable, task.options, placement), "");
  SIGNCTL_CHECK(draft.fill(), "copying the file");
  SIGNCTL_TRY(auto obtained, obtain_signature(opened, prepared, task.options, stages, reuse), "");
  if (!obtained) {
    return Answer{};
  }
  const Bytes cms = obtained->signature.cms;
  SIGNCTL_TRY(const auto signatures, combine(std::move(placement), cms), "");
  SIGNCTL_TRY(
      FileOutcome outcome, embed_and_commit(opened, std::move(draft), signatures, stages), "");
  outcome.path = task.output;
  outcome.timestamp_source = std::move(obtained->signature.timestamp_source);
  outcome.reused = std::move(obtained->reused);
  if (outcome.state == FileState::done) {
    SIGNCTL_CHECK(obtained->claim.done(cms, task.output, stages.timestamper != nullptr), "");
  } else {
    obtained->claim.discard();
  }
  return Answer{std::move(outcome)};
}

}  // namespace

Result<std::optional<FileOutcome>> foresee_file(const FileTask& task,
                                                const Gate& gate,
                                                Clock& clock) {
  SIGNCTL_TRY(OpenedFile opened, open_file(task.input), "");
  Stages stages;
  stages.gate = &gate;
  stages.clock = &clock;
  SIGNCTL_TRY(auto answer, answer_existing(opened, task, stages), "");
  if (!answer) {
    SIGNCTL_TRY(const Placement placement, place(*opened.signable, task.options.if_signed), "");
  }
  return answer;
}

Result<FileOutcome> sign_file(const FileTask& task, Stages& stages) {
  SIGNCTL_ASSERT(stages.session != nullptr && stages.gate != nullptr && stages.clock != nullptr);
  Reuse reuse = Reuse::allowed;
  constexpr int kLooks = 3;
  for (int look = 0; look < kLooks; ++look) {
    SIGNCTL_TRY(OpenedFile opened, open_file(task.input), "");
    auto outcome = sign_opened(opened, task, stages, reuse);
    if (!outcome) {
      return std::move(outcome).error().within("signing " + task.input);
    }
    const bool bad_find =
        *outcome && (*outcome)->state == FileState::refused && !(*outcome)->reused.empty();
    if (*outcome && !bad_find) {
      return std::move(**outcome);
    }
    // What was found may have gone bad since; what is made now has not.
    reuse = bad_find ? Reuse::forbidden : reuse;
  }
  return Error{ErrorKind::input,
               "the file was changed again and again by somebody else while it was being processed",
               "nothing was written; wait until the build has finished with it and run again",
               {"signing " + task.input}};
}

}  // namespace signctl::engine
