// SPDX-License-Identifier: Apache-2.0
#include "engine/gate.hpp"

#include "core/assert.hpp"
#include "engine/inside.hpp"
#include "verify/verify.hpp"

#include <signctl/carries_findings.hpp>

#include <utility>

namespace signctl::engine {

Result<FileOutcome> judge_file(OpenedFile& file, const Gate& gate, TimePoint now) {
  SIGNCTL_ASSERT(gate.store != nullptr);
  FileOutcome outcome;
  outcome.path = file.source->path();
  const verify::Options options{gate.store, gate.trust_signer, now};
  SIGNCTL_TRY(
      outcome.report, verify::verify_file(*file.signable, options), "verifying " + outcome.path);
  outcome.report.needs_signature = file.format->capabilities().sign;
  if (gate.rules.nested != NestedRule::off) {
    SIGNCTL_CHECK(look_inside(*file.signable, options, {}, outcome.report),
                  "verifying " + outcome.path);
  }
  outcome.report.path = outcome.path;
  outcome.report.format = std::string(file.format->name());
  outcome.report.size_bytes = file.source->size();
  outcome.verdict = judge(outcome.report, gate.rules);
  outcome.state = outcome.verdict.passed ? FileState::done : FileState::refused;
  return outcome;
}

Result<FileOutcome> verify_file(const std::string& path, const Gate& gate, TimePoint now) {
  SIGNCTL_TRY(OpenedFile file, open_file(path), "");
  return judge_file(file, gate, now);
}

Result<FileOutcome> embed_and_commit(OpenedFile& opened,
                                     Draft draft,
                                     std::span<const Bytes> signatures,
                                     const Stages& stages) {
  SIGNCTL_ASSERT(stages.gate != nullptr && stages.clock != nullptr);
  SIGNCTL_TRY(
      const PatchSet patches, opened.signable->embed(signatures), "embedding the signature");
  SIGNCTL_CHECK(draft.apply(patches), "writing the draft");
  // The output bytes are final; nobody but us can see them yet.
  SIGNCTL_TRY(OpenedFile written, open_draft(draft.path(), opened), "reading the draft back");
  SIGNCTL_CHECK(draft.carry_over_to(*written.signable), "reading the draft back");
  if (auto* const carrier = dynamic_cast<CarriesFindings*>(written.signable.get())) {
    carrier->carry_findings(*opened.signable);
  }
  SIGNCTL_TRY(FileOutcome outcome, judge_file(written, *stages.gate, stages.clock->now()), "");
  outcome.path = opened.source->path();
  outcome.report.path = outcome.path;
  if (outcome.state == FileState::done) {
    SIGNCTL_CHECK(draft.commit(), "putting the file in place");
  }
  return outcome;
}

}  // namespace signctl::engine
