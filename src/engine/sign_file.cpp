// SPDX-License-Identifier: Apache-2.0
#include "engine/sign_file.hpp"

#include "core/assert.hpp"
#include "core/atomic_file.hpp"
#include "engine/build_signature.hpp"
#include "engine/draft.hpp"
#include "engine/existing.hpp"
#include "engine/expected_chain.hpp"
#include "engine/gate.hpp"
#include "engine/inside.hpp"
#include "engine/kept_signatures.hpp"
#include "engine/obtain_signature.hpp"
#include "engine/opened_file.hpp"
#include "engine/scheme_signature.hpp"
#include "engine/shelf.hpp"
#include "engine/sign_inside.hpp"
#include "engine/signatory.hpp"

#include <optional>
#include <utility>

namespace signctl::engine {

namespace {

/// How often a file is looked at that others keep changing.
constexpr int kLooks = 3;

/// A refusal of a file as it is, before a signature is spent.
FileOutcome refusal(const OpenedFile& opened, const FileTask& task, TimePoint now) {
  FileOutcome outcome;
  outcome.report.judged_at = now;
  outcome.report.format = std::string(opened.format->name());
  outcome.report.size_bytes = opened.source->size();
  outcome.report.path = task.input;
  outcome.path = task.input;
  return outcome;
}

/// Refuses a certificate that the gate would refuse, and one that the file itself rules out.
Result<MaybeOutcome> answer_certificate(const OpenedFile& opened,
                                        const FileTask& task,
                                        const Stages& stages) {
  SIGNCTL_TRY(auto findings, check_expected_chain(*opened.signable, stages), "");
  if (findings.empty()) {
    return MaybeOutcome{};
  }
  FileOutcome outcome = refusal(opened, task, stages.clock->now());
  outcome.verdict.findings = std::move(findings);
  return MaybeOutcome{std::move(outcome)};
}

/// Refuses a file whose contents are not fit to be signed over, before a signature is spent.
Result<MaybeOutcome> answer_inside(OpenedFile& opened, const FileTask& task, const Stages& stages) {
  const Gate& gate = *stages.gate;
  if (gate.rules.nested != NestedRule::require_signed) {
    return MaybeOutcome{};
  }
  const TimePoint now = stages.clock->now();
  FileOutcome outcome = refusal(opened, task, now);
  SIGNCTL_CHECK(
      look_inside(*opened.signable, {gate.store, gate.trust_signer, now}, {}, outcome.report), "");
  outcome.verdict.findings = judge_inside(outcome.report, gate.rules);
  return outcome.verdict.findings.empty() ? MaybeOutcome{} : MaybeOutcome{std::move(outcome)};
}

/// Everything but opening, once nothing speaks against signing what is inside. Empty when another
/// run has signed the file meanwhile, and it is to be looked at once more.
Result<MaybeOutcome> sign_alone(OpenedFile& opened,
                                const FileTask& task,
                                Stages& stages,
                                Reuse reuse) {
  SIGNCTL_TRY(auto refused, answer_certificate(opened, task, stages), "");
  if (refused) {
    return refused;
  }
  SIGNCTL_TRY(Placement placement, place(*opened.signable, task.options.if_signed), "");
  SIGNCTL_TRY(refused, answer_kept(opened, placement, stages), "");
  if (refused) {
    return refused;
  }
  SIGNCTL_CHECK(announce(*opened.signable, task.options, placement), "");
  if (opened.signable->scheme() != nullptr) {
    SIGNCTL_TRY(FileOutcome outcome, sign_file_by_scheme(opened, task, stages), "");
    return MaybeOutcome{std::move(outcome)};
  }
  // Copying and reading back start here, beside the hashing; a target that cannot be written costs
  // no signature.
  SIGNCTL_TRY(Draft draft,
              Draft::begin_read_back(opened, task.output, task.options.digest),
              "creating the draft");
  SIGNCTL_TRY(
      auto obtained, prepare_and_obtain(opened, draft, {task, placement, reuse}, stages), "");
  if (!obtained) {
    return MaybeOutcome{};
  }
  const Bytes cms = obtained->signature.cms;
  SIGNCTL_TRY(const auto signatures, combine(std::move(placement), cms), "");
  SIGNCTL_TRY(
      FileOutcome outcome, embed_and_commit(opened, std::move(draft), signatures, stages), "");
  outcome.path = task.output;
  outcome.timestamp_source = std::move(obtained->signature.timestamp_source);
  outcome.reused = std::move(obtained->reused);
  if (outcome.state == FileState::done) {
    obtained->claim.done(cms, task.output, stages.timestamper != nullptr);
  } else {
    obtained->claim.discard();
  }
  return MaybeOutcome{std::move(outcome)};
}

Result<MaybeOutcome> sign_opened(OpenedFile& opened,
                                 const FileTask& task,
                                 Stages& stages,
                                 Reuse reuse) {
  SIGNCTL_TRY(auto answer, answer_existing(opened, task, stages), "");
  if (answer) {
    return answer;
  }
  SIGNCTL_TRY(answer, answer_inside(opened, task, stages), "");
  return answer ? Result<MaybeOutcome>(std::move(answer)) : sign_alone(opened, task, stages, reuse);
}

/// A signature that was there already and does not pass (any more).
bool is_bad_find(const FileOutcome& outcome) {
  return outcome.state == FileState::refused && !outcome.reused.empty();
}

/// Signs a temporary file that nobody else knows of.
Result<FileOutcome> sign_own(OpenedFile& opened, const FileTask& task, Stages& stages) {
  SIGNCTL_TRY(MaybeOutcome outcome, sign_opened(opened, task, stages, Reuse::allowed), "");
  if (outcome && is_bad_find(*outcome)) {
    SIGNCTL_TRY(outcome, sign_opened(opened, task, stages, Reuse::forbidden), "");
  }
  if (!outcome) {
    return Error{ErrorKind::input, "a temporary file was changed by somebody else"};
  }
  return std::move(*outcome);
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
Result<MaybeOutcome> sign_deep(OpenedFile& opened,
                               const FileTask& task,
                               Stages& stages,
                               Reuse reuse) {
  const bool takes_signature = opened.format->capabilities().sign;
  if (takes_signature) {
    SIGNCTL_TRY(auto answer, answer_existing(opened, task, stages), "");
    if (answer) {
      return answer;
    }
    SIGNCTL_CHECK(check_repackable(opened, task), "");
    SIGNCTL_TRY(answer, answer_certificate(opened, task, stages), "");
    if (answer) {
      return answer;
    }
  }
  SIGNCTL_TRY(auto repacked, sign_inside(opened, task, stages, sign_own), "");
  if (!repacked) {
    return takes_signature ? sign_opened(opened, task, stages, reuse)
                           : MaybeOutcome(skip(task.input, "everything inside is signed already"));
  }
  SIGNCTL_TRY(const FileIdentity now, opened.source->identity_now(), "looking at the input again");
  if (now != opened.source->identity()) {
    return MaybeOutcome{};
  }
  SIGNCTL_TRY(OpenedFile packed,
              open_draft(repacked->file.temporary_path(), opened),
              "reading what was packed anew");
  SIGNCTL_TRY(
      FileOutcome outcome,
      takes_signature ? sign_own(packed, task, stages) : place_unsigned(packed, task, stages),
      "");
  outcome.signed_inside = std::move(repacked->paths);
  return MaybeOutcome(std::move(outcome));
}

/// What is signed already belongs to the output all the same: whoever uploads that folder wants all
/// of it.
Result<FileOutcome> carry_over(const OpenedFile& opened,
                               const FileTask& task,
                               FileOutcome outcome) {
  if (outcome.state != FileState::skipped || outcome.path == task.output ||
      outcome.path != task.input) {
    return outcome;
  }
  SIGNCTL_TRY(AtomicFile copy, AtomicFile::create(task.output, Existing::replace), "");
  SIGNCTL_CHECK(copy.copy_from(*opened.source, opened.source->size()), "copying the file");
  SIGNCTL_CHECK(copy.sync(), "writing the output to disk");
  SIGNCTL_TRY(const FileIdentity now, opened.source->identity_now(), "looking at the input again");
  if (now != opened.source->identity()) {
    return Error{ErrorKind::input,
                 "the file was changed by somebody else while it was being copied",
                 "wait until the build has finished with it and run again"};
  }
  SIGNCTL_CHECK(copy.commit(), "putting the copy in place");
  outcome.path = task.output;
  outcome.reason += "; copied";
  return outcome;
}

}  // namespace

Result<std::optional<FileOutcome>> foresee_file(const FileTask& task, const Stages& stages) {
  SIGNCTL_TRY(OpenedFile opened, open_file(task.input), "");
  SIGNCTL_TRY(auto answer, answer_existing(opened, task, stages), "");
  if (answer) {
    return answer;
  }
  SIGNCTL_CHECK(opened.signable->check_signable(task.options.digest), "");
  SIGNCTL_TRY(const Placement placement, place(*opened.signable, task.options.if_signed), "");
  SIGNCTL_CHECK(announce(*opened.signable, task.options, placement), "");
  return answer_kept(opened, placement, stages);
}

Result<FileOutcome> sign_file(const FileTask& task, Stages& stages) {
  SIGNCTL_ASSERT(stages.session != nullptr && stages.gate != nullptr && stages.clock != nullptr);
  Reuse reuse = Reuse::allowed;
  for (int look = 0; look < kLooks; ++look) {
    SIGNCTL_TRY(OpenedFile opened, open_file(task.input), "");
    auto outcome = task.options.deep ? sign_deep(opened, task, stages, reuse)
                                     : sign_opened(opened, task, stages, reuse);
    if (!outcome) {
      return std::move(outcome).error().within("signing " + task.input);
    }
    if (*outcome && !is_bad_find(**outcome)) {
      return carry_over(opened, task, std::move(**outcome));
    }
    // What was found may have gone bad since; what is made now has not.
    reuse = *outcome ? Reuse::forbidden : reuse;
  }
  return Error{ErrorKind::input,
               "the file was changed again and again by somebody else while it was being processed",
               "nothing was written; wait until the build has finished with it and run again",
               {"signing " + task.input}};
}

}  // namespace signctl::engine
