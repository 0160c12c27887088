// SPDX-License-Identifier: Apache-2.0
#include "audit/build_facts.hpp"

#include <array>
#include <string_view>

namespace signctl::audit {

namespace {

constexpr std::array<std::string_view, 30> kVariables{"GITHUB_REPOSITORY",
                                                      "GITHUB_REF",
                                                      "GITHUB_SHA",
                                                      "GITHUB_WORKFLOW_REF",
                                                      "GITHUB_RUN_ID",
                                                      "GITHUB_RUN_ATTEMPT",
                                                      "GITHUB_JOB",
                                                      "GITHUB_ACTOR",
                                                      "GITHUB_EVENT_NAME",
                                                      "CI_PROJECT_PATH",
                                                      "CI_COMMIT_REF_NAME",
                                                      "CI_COMMIT_SHA",
                                                      "CI_PIPELINE_ID",
                                                      "CI_JOB_ID",
                                                      "CI_JOB_NAME",
                                                      "BUILD_REPOSITORY_NAME",
                                                      "BUILD_SOURCEBRANCH",
                                                      "BUILD_SOURCEVERSION",
                                                      "BUILD_BUILDID",
                                                      "SYSTEM_JOBID",
                                                      "JOB_NAME",
                                                      "BUILD_NUMBER",
                                                      "BUILD_TAG",
                                                      "GIT_BRANCH",
                                                      "GIT_COMMIT",
                                                      "BUILDKITE_PIPELINE_SLUG",
                                                      "BUILDKITE_BUILD_NUMBER",
                                                      "BUILDKITE_COMMIT",
                                                      "CIRCLE_SHA1",
                                                      "CIRCLE_WORKFLOW_ID"};

}  // namespace

std::vector<std::pair<std::string, std::string>> build_facts(const Environment& environment) {
  std::vector<std::pair<std::string, std::string>> facts;
  for (const std::string_view name : kVariables) {
    if (auto value = environment.get(name)) {
      facts.emplace_back(std::string(name), std::move(*value));
    }
  }
  return facts;
}

}  // namespace signctl::audit
