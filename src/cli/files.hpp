// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/common_options.hpp"
#include "config/config.hpp"
#include "engine/sign_file.hpp"
#include "plan/plan.hpp"

#include <signctl/result.hpp>

#include <string>
#include <vector>

namespace signctl::cli {

/// What is to be worked on, and what it was selected by.
struct FileSet {
  plan::FilePlan plan;
  std::vector<plan::Selection> selections;
};

/// The files named on the command line, else those of the config's steps.
///
/// @errors `usage` when there are neither, or files and --step both; else as plan::expand.
Result<FileSet> plan_files(const config::Config& config, const FileFlags& flags);

/// The files directly in a folder that a run over the folder would sign, in the order of their
/// names.
[[nodiscard]] std::vector<std::string> signable_files_in(const std::string& folder_utf8);

/// Where each planned file's result goes, in plan order. With --output-dir the structure below each
/// folder or glob is kept.
///
/// @errors `usage` for --output with several files, and for two files with one output.
Result<std::vector<std::string>> outputs_of(const FileSet& files, const TargetFlags& flags);

}  // namespace signctl::cli
