// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/context.hpp"
#include "engine/run.hpp"
#include "engine/sign_file.hpp"

#include <signctl/error.hpp>
#include <signctl/finding.hpp>
#include <signctl/policy.hpp>
#include <signctl/report.hpp>

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

// The documents of --json, described in docs/json.md. Members are only ever added within one schema
// number.
namespace signctl::cli {

using Json = nlohmann::ordered_json;

/// {"schema": "signctl/<verb>/1"}
[[nodiscard]] Json document(std::string_view verb);

[[nodiscard]] Json to_json(const Error& error);
[[nodiscard]] Json to_json(const Finding& finding);
[[nodiscard]] Json to_json(const std::vector<Finding>& findings);
[[nodiscard]] Json to_json(const CertificateInfo& certificate);
[[nodiscard]] Json to_json(const SignatureInfo& signature);
[[nodiscard]] Json to_json(const Report& report);
[[nodiscard]] Json to_json(const Verdict& verdict);

/// ProviderTraits::signatures_a_year; null for none.
[[nodiscard]] Json quota_json(int signatures_a_year);

/// One file of a batch; `done` is the state's name when all went well, for example "signed".
[[nodiscard]] Json to_json(const engine::FileResult& result, std::string_view done);

/// A whole batch, and its exit code.
[[nodiscard]] Json batch_document(std::string_view verb,
                                  std::string_view done,
                                  const engine::RunSummary& summary);

/// One line for --log-format json, in the form of core/log.hpp's.
[[nodiscard]] std::string error_log_line(const Error& error, TimePoint now);
[[nodiscard]] std::string finding_log_line(const Finding& finding, TimePoint now);

/// The document of a command that failed as a whole.
void print_error_document(Context& context, const Error& error);

/// Prints it, indented, with a line break.
void print_json(Context& context, const Json& json);

}  // namespace signctl::cli
