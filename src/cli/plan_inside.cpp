// SPDX-License-Identifier: Apache-2.0
#include "cli/plan_inside.hpp"

#include "core/text.hpp"
#include "engine/inside.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace signctl::cli {

namespace {

std::string_view name_of(std::string_view path) {
  const auto slash = path.find_last_of("/\\");
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

/// The planned file that was, in all likelihood, packed: the same name, and not a package around
/// it.
const plan::PlannedFile* same_file(const plan::FilePlan& plan,
                                   const plan::PlannedFile& package,
                                   const std::string& inside) {
  const auto found =
      std::find_if(plan.files.begin(), plan.files.end(), [&](const plan::PlannedFile& file) {
        return &file != &package && to_lower(name_of(file.path)) == to_lower(name_of(inside));
      });
  return found == plan.files.end() ? nullptr : &*found;
}

std::string message_on(const plan::FilePlan& plan,
                       const plan::PlannedFile& package,
                       const std::string& inside) {
  std::string message = package.path + " holds " + inside + ", which is not signed";
  if (const auto* const loose = same_file(plan, package, inside)) {
    message += "; " + loose->path + (loose->step.empty() ? "" : " of step " + loose->step) +
               " is signed by this plan: pack it after that";
  }
  return message;
}

}  // namespace

std::vector<InsideWarning> warn_of_unsigned_inside(const plan::FilePlan& plan) {
  std::vector<InsideWarning> warnings;
  for (const plan::PlannedFile& file : plan.files) {
    const auto found = engine::find_unsigned_inside(file.path);
    if (!found) {
      continue;
    }
    for (const std::string& inside : found->unsigned_paths) {
      warnings.push_back({file.path, inside, message_on(plan, file, inside)});
    }
    for (const engine::InsideProblem& problem : found->problems) {
      const std::string what =
          problem.path.empty() ? "what is inside " + file.path : file.path + "/" + problem.path;
      warnings.push_back(
          {file.path, problem.path, what + " cannot be looked at: " + problem.message});
    }
  }
  return warnings;
}

std::size_t count_unsigned_inside(const plan::FilePlan& plan) {
  std::size_t count = 0;
  for (const plan::PlannedFile& file : plan.files) {
    const auto found = engine::find_unsigned_inside(file.path);
    count += found ? found->unsigned_paths.size() : 0;
  }
  return count;
}

}  // namespace signctl::cli
