// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/context.hpp"

#include <signctl/error.hpp>
#include <signctl/finding.hpp>

#include <string>
#include <vector>

namespace signctl::cli {

/// Prints error, trail and hint to stderr, and the error document to stdout with --json.
void report_error(Context& context, const Error& error);

/// Only the text for people, to stderr.
void print_error(Context& context, const Error& error);

/// What the gate objected to, below an error, to stderr.
void print_objections(Context& context, const std::vector<Finding>& objections);

/// A line of its own for the pipeline that runs us, on GitHub Actions and Azure Pipelines: attached
/// to the file in their user interface. Nothing elsewhere.
void annotate(Context& context, const std::string& path, const std::string& message);

}  // namespace signctl::cli
