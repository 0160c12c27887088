// SPDX-License-Identifier: Apache-2.0
#include "audit/build_facts.hpp"

#include "core/text.hpp"
#include "crypto/digest.hpp"

#include <signctl/bytes.hpp>

#include <array>
#include <string_view>

namespace signctl::audit {

namespace {

/// What all jobs of a build have alike, also when one is run again; or what is each job's own.
enum class Scope { build, job };

struct Variable {
  std::string_view name;
  Scope scope{};
};

constexpr std::array kVariables{std::to_array<Variable>({
    {"GITHUB_REPOSITORY", Scope::build},
    {"GITHUB_REF", Scope::build},
    {"GITHUB_SHA", Scope::build},
    {"GITHUB_WORKFLOW_REF", Scope::build},
    {"GITHUB_RUN_ID", Scope::build},
    {"GITHUB_RUN_ATTEMPT", Scope::job},
    {"GITHUB_JOB", Scope::job},
    {"GITHUB_ACTOR", Scope::job},
    {"GITHUB_EVENT_NAME", Scope::build},
    {"CI_PROJECT_PATH", Scope::build},
    {"CI_COMMIT_REF_NAME", Scope::build},
    {"CI_COMMIT_SHA", Scope::build},
    {"CI_PIPELINE_ID", Scope::build},
    {"CI_JOB_ID", Scope::job},
    {"CI_JOB_NAME", Scope::job},
    {"BUILD_REPOSITORY_NAME", Scope::build},
    {"BUILD_SOURCEBRANCH", Scope::build},
    {"BUILD_SOURCEVERSION", Scope::build},
    {"BUILD_BUILDID", Scope::build},
    {"SYSTEM_JOBID", Scope::job},
    {"JOB_NAME", Scope::build},
    {"BUILD_NUMBER", Scope::build},
    {"BUILD_TAG", Scope::job},  // Of the job's name and the build's number.
    {"GIT_BRANCH", Scope::build},
    {"GIT_COMMIT", Scope::build},
    {"BUILDKITE_PIPELINE_SLUG", Scope::build},
    {"BUILDKITE_BUILD_NUMBER", Scope::build},
    {"BUILDKITE_COMMIT", Scope::build},
    {"CIRCLE_SHA1", Scope::build},
    {"CIRCLE_WORKFLOW_ID", Scope::job},
    {"SIGNCTL_BUILD", Scope::build},  // Ours, for where nothing else names the build.
})};

/// JOB_NAME without the cell of a Jenkins matrix: "folder/job/ARCH=x64,OS=linux" is the job
/// "folder/job".
std::string without_matrix_cell(const std::string& job) {
  const auto slash = job.rfind('/', job.find('='));
  return job.find('=') == job.npos || slash == job.npos ? job : job.substr(0, slash);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> build_facts(const Environment& environment) {
  std::vector<std::pair<std::string, std::string>> facts;
  for (const Variable& variable : kVariables) {
    if (auto value = environment.get(variable.name)) {
      facts.emplace_back(std::string(variable.name), std::move(*value));
    }
  }
  return facts;
}

std::string build_sha256(const Environment& environment) {
  std::string text;
  for (const Variable& variable : kVariables) {
    const auto value = environment.get(variable.name);
    if (value && variable.scope == Scope::build) {
      const bool job = variable.name == "JOB_NAME";
      text +=
          std::string(variable.name) + "=" + (job ? without_matrix_cell(*value) : *value) + "\n";
    }
  }
  return text.empty() ? "" : to_hex(crypto::hash(DigestAlg::sha256, as_bytes(text)));
}

}  // namespace signctl::audit
