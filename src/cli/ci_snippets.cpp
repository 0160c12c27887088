// SPDX-License-Identifier: Apache-2.0
#include "cli/ci_snippets.hpp"

#include "core/text.hpp"

namespace signctl::cli {

namespace {

std::string github(const std::vector<std::string>& secrets) {
  std::string text = "# .github/workflows/release.yml\n      - name: Sign\n";
  if (!secrets.empty()) {
    text += "        env:\n";
  }
  for (const std::string& name : secrets) {
    text.append("          ").append(name).append(": ${{ secrets.").append(name).append(" }}\n");
  }
  return text + "        run: |\n          signctl sign\n          signctl verify\n";
}

std::string azure(const std::vector<std::string>& secrets) {
  std::string text =
      "# azure-pipelines.yml\n"
      "  - script: |\n"
      "      set -e\n"
      "      signctl sign\n"
      "      signctl verify\n"
      "    displayName: Sign\n";
  if (!secrets.empty()) {
    text += "    env:\n";
  }
  for (const std::string& name : secrets) {
    text.append("      ").append(name).append(": $(").append(name).append(")\n");
  }
  return text;
}

std::string gitlab(const std::vector<std::string>& secrets) {
  std::string text = "# .gitlab-ci.yml\n";
  if (!secrets.empty()) {
    text += "# protected and masked variables: " + join(secrets, ", ") + "\n";
  }
  return text +
         "sign:\n"
         "  stage: deploy\n"
         "  rules:\n"
         "    - if: $CI_COMMIT_TAG\n"
         "  script:\n"
         "    - signctl sign\n"
         "    - signctl verify\n"
         "  artifacts:\n"
         "    paths: [dist/]\n";
}

std::string jenkins(const std::vector<std::string>& secrets) {
  std::string bindings;
  for (const std::string& name : secrets) {
    bindings += bindings.empty() ? "" : ",\n                     ";
    bindings.append("string(credentialsId: '")
        .append(name)
        .append("', variable: '")
        .append(name)
        .append("')");
  }
  std::string text = "// Jenkinsfile\nstage('Sign') {\n  steps {\n";
  if (bindings.empty()) {
    return text + "    sh 'signctl sign && signctl verify'\n  }\n}\n";
  }
  return text + "    withCredentials([" + bindings +
         "]) {\n"
         "      sh 'signctl sign && signctl verify'\n"
         "    }\n"
         "  }\n"
         "}\n";
}

}  // namespace

std::string ci_snippet(std::string_view ci, const std::vector<std::string>& secrets) {
  if (ci == "github") {
    return github(secrets);
  }
  if (ci == "azure") {
    return azure(secrets);
  }
  if (ci == "gitlab") {
    return gitlab(secrets);
  }
  return ci == "jenkins" ? jenkins(secrets) : "";
}

}  // namespace signctl::cli
