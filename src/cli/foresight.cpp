// SPDX-License-Identifier: Apache-2.0
#include "cli/foresight.hpp"

#include "cli/render.hpp"
#include "core/text.hpp"
#include "plan/duplicates.hpp"

#include <algorithm>
#include <utility>

namespace signctl::cli {
namespace {

std::string why_refused(const engine::FileOutcome& outcome) {
  const auto objections = outcome.verdict.objections();
  return "the gate would refuse it" +
         (objections.empty() ? "" : ": " + finding_text(objections.front()));
}

Fate fate_of(engine::Paid paid) {
  switch (paid) {
    case engine::Paid::nothing:
      return {};
    case engine::Paid::accepted:
      return {Fate::Kind::fetch, "already paid: the service accepted it, and it is to be fetched"};
    case engine::Paid::made:
      return {Fate::Kind::embed, "already paid: the journal has the signature"};
  }
  return {};
}

/// Whether files with the same bytes need no signature of their own beside this one.
bool is_signed(const Fate& fate) {
  return fate.kind == Fate::Kind::sign || fate.kind == Fate::Kind::embed ||
         fate.kind == Fate::Kind::fetch;
}

/// Other files left aside.
Result<Fate> foresee_alone(const engine::FileTask& task,
                           const engine::Stages& stages,
                           MissingFolder folder) {
  SIGNCTL_TRY(const auto foreseen, engine::foresee_file(task, stages), "");
  if (foreseen && foreseen->state == engine::FileState::refused) {
    return Fate{Fate::Kind::fail, why_refused(*foreseen), ErrorKind::gate};
  }
  // What is skipped stays where it is, or is copied to the output.
  if (!foreseen || (foreseen->path == task.input && task.output != task.input)) {
    SIGNCTL_CHECK(check_replaceable(task.output, folder), "");
  }
  if (foreseen) {
    return Fate{Fate::Kind::skip, foreseen->reason};
  }
  SIGNCTL_TRY(const auto paid, engine::paid_before(task, stages), "");
  return fate_of(paid);
}

Fate foresee_one(const engine::FileTask& task, const engine::Stages& stages, MissingFolder folder) {
  auto fate = foresee_alone(task, stages, folder);
  if (fate) {
    return *std::move(fate);
  }
  const Error& error = fate.error();
  return Fate{Fate::Kind::fail, error.message, error.kind, error.hint};
}

/// A file that would fail, and how.
struct Failing {
  engine::FileTask task;
  Fate fate{};
};

}  // namespace

std::vector<Fate> foresee(const std::vector<engine::FileTask>& tasks,
                          const engine::Stages& stages,
                          MissingFolder folder) {
  std::vector<Fate> fates;
  std::vector<std::string> paths;
  for (const engine::FileTask& task : tasks) {
    fates.push_back(foresee_one(task, stages, folder));
    paths.push_back(is_signed(fates.back()) ? task.input : "");
  }
  const auto same_as = plan::find_duplicates(paths);
  for (std::size_t i = 0; i < fates.size(); ++i) {
    if (!same_as[i].empty()) {
      fates[i] = {Fate::Kind::copy, "identical to " + same_as[i]};
    }
  }
  return fates;
}

Result<std::vector<engine::FileResult>> find_failing(const std::vector<engine::FileTask>& tasks,
                                                     const std::function<Result<Foresight>()>& look,
                                                     MissingFolder folder) {
  constexpr int kLooks = 2;
  std::vector<Failing> failing;
  failing.reserve(tasks.size());
  for (const engine::FileTask& task : tasks) {
    failing.push_back({task});
  }
  for (int i = 0; i < kLooks && !failing.empty(); ++i) {
    SIGNCTL_TRY(const Foresight ahead, look(), "");
    std::erase_if(failing, [&](Failing& one) {
      one.fate = foresee_one(one.task, ahead.stages, folder);
      return !one.fate.failure;
    });
  }
  std::vector<engine::FileResult> results;
  for (Failing& one : failing) {
    results.push_back(
        {one.task.input,
         Error{*one.fate.failure, std::move(one.fate.why), std::move(one.fate.hint)}});
  }
  return results;
}

Error refusal_for(const std::vector<engine::FileResult>& failing, std::size_t planned) {
  constexpr std::size_t kMostNamed = 20;
  Error refusal{failing.front().outcome.error().kind, "", ""};
  std::vector<std::string> hints;
  for (std::size_t i = 0; i < std::min(failing.size(), kMostNamed); ++i) {
    const Error& why = failing[i].outcome.error();
    refusal.message += printable(failing[i].path) + ": " + why.message + "; ";
    if (!why.hint.empty() && std::find(hints.begin(), hints.end(), why.hint) == hints.end()) {
      hints.push_back(why.hint);
    }
  }
  if (failing.size() > kMostNamed) {
    refusal.message += "and " + std::to_string(failing.size() - kMostNamed) + " more; ";
  }
  refusal.message += "of " + std::to_string(planned) + " files " + std::to_string(failing.size()) +
                     " would fail, so nothing was signed";
  hints.emplace_back("signctl plan says what of each; --keep-going signs the others");
  refusal.hint = join(hints, "; ");
  return refusal;
}

MissingFolder missing_folder(const TargetFlags& target) {
  return target.output_dir.empty() ? MissingFolder::refuse : MissingFolder::will_be_made;
}

}  // namespace signctl::cli
