// SPDX-License-Identifier: Apache-2.0
#include "cli/diagnosis.hpp"

#include <signctl/exit_code.hpp>

#include <utility>

namespace signctl::cli {

std::string_view state_name(CheckState state) {
  switch (state) {
    case CheckState::good:
      return "ok";
    case CheckState::warning:
      return "warning";
    case CheckState::failure:
      return "failed";
  }
  return "";
}

std::string paint_state(CheckState state, const Context& context) {
  switch (state) {
    case CheckState::good:
      return context.paint("ok  ", Color::green);
    case CheckState::warning:
      return context.paint("warn", Color::yellow);
    case CheckState::failure:
      return context.paint("FAIL", Color::red);
  }
  return "";
}

void Diagnosis::good(std::string about, std::string message) {
  checks_.push_back({CheckState::good, std::move(about), std::move(message), {}});
}

void Diagnosis::warn(std::string about, std::string message) {
  checks_.push_back({CheckState::warning, std::move(about), std::move(message), {}});
}

void Diagnosis::add(std::string about, const Error& error) {
  failures_.push_back(error.kind);
  checks_.push_back({CheckState::failure, std::move(about), error.message, error.hint});
}

void Diagnosis::add(std::string about, const Finding& finding) {
  switch (finding.severity) {
    case Severity::info:
      good(std::move(about), finding.message);
      return;
    case Severity::warning:
      checks_.push_back({CheckState::warning, std::move(about), finding.message, finding.hint});
      return;
    case Severity::error:
      failures_.push_back(finding.kind.value_or(ErrorKind::auth));
      checks_.push_back({CheckState::failure, std::move(about), finding.message, finding.hint});
      return;
  }
}

int Diagnosis::exit_code() const {
  for (const ErrorKind kind : failures_) {
    if (!is_transient(kind)) {
      return signctl::exit_code(kind);
    }
  }
  return failures_.empty() ? 0 : signctl::exit_code(failures_.front());
}

}  // namespace signctl::cli
