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

/// Which files a folder stands for.
enum class FolderTakes { signables, all };

/// The files named on the command line, else those of the config's steps.
///
/// @errors `usage` when there are neither, or files and --step both; else as plan::expand.
Result<FileSet> plan_files(const config::Config& config,
                           const FileFlags& flags,
                           FolderTakes takes = FolderTakes::signables);

[[nodiscard]] std::vector<std::string> paths_of(const plan::FilePlan& plan);

/// The files in these folders and their sub-folders that a run over them would sign. Folders that
/// are not there hold none.
///
/// @errors as plan::expand.
Result<std::vector<std::string>> signable_files_below(const std::vector<std::string>& folders);

/// Where each planned file's result goes, in plan order. With --output-dir the structure below each
/// folder or glob is kept.
///
/// @errors `usage` for --output with several files, and for two files with one output.
Result<std::vector<std::string>> outputs_of(const FileSet& files, const TargetFlags& flags);

}  // namespace signctl::cli
