// SPDX-License-Identifier: Apache-2.0
#include "engine/kept_signatures.hpp"

#include "engine/gate.hpp"
#include "policy/subject.hpp"

#include <utility>

namespace signctl::engine {

Result<MaybeOutcome> answer_kept(OpenedFile& opened,
                                 const Placement& placement,
                                 const Stages& stages) {
  if (placement.kept.empty()) {
    return MaybeOutcome{};
  }
  // What is inside is asked about by itself.
  Gate gate = *stages.gate;
  gate.rules.nested = NestedRule::off;
  SIGNCTL_TRY(FileOutcome judged, judge_file(opened, gate, stages.clock->now()), "");
  auto objections = judged.verdict.objections();
  std::erase_if(objections, [&judged](const Finding& one) {
    return find_subject(judged.report, one).signature == nullptr;
  });
  if (objections.empty()) {
    return MaybeOutcome{};
  }
  judged.verdict.findings = std::move(objections);
  return MaybeOutcome{std::move(judged)};
}

}  // namespace signctl::engine
