// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace signctl::plan {

/// A group of patterns to expand.
///
/// Patterns are those of plan/glob.hpp; what exists under a name that looks like a pattern is that
/// file or folder. An entry `@list.txt` of `include` stands for the lines of that file, which are
/// relative to the selection's folder, not to the list's; `#` begins a comment line.
///
/// What is excluded stays out whatever includes it, in any order. An exclude also covers everything
/// in the folders that it matches; one without a `/` matches names at any depth ("*.pdb", "obj").
struct Selection {
  std::string step;    ///< Name of the step; empty for the command line.
  std::string folder;  ///< What relative patterns are relative to; empty: working directory.
  std::vector<std::string> include;  ///< Paths, folders, globs, "@list.txt"; "!glob" excludes.
  std::vector<std::string> exclude;
  bool allow_empty{false};
};

/// One file and why it is in.
struct PlannedFile {
  std::string path;  ///< UTF-8, as it will be shown and opened.
  std::string step;
  std::string because;  ///< "matches publish/**/*.exe".
  std::string real{};   ///< Where links on the way lead; empty when there are none.
};

struct ExcludedFile {
  std::string path;
  std::string because;
};

struct FilePlan {
  std::vector<PlannedFile> files;  ///< In order, each real file once.
  std::vector<ExcludedFile> excluded;
};

/// Decides whether a file found inside a folder argument is of a kind we sign.
using Recognise = std::function<bool(const std::string& path_utf8)>;

/// What is said of a folder in which nothing was recognised.
struct NothingFound {
  std::string_view kind{"of a type that can be signed"};
  std::string_view hint{"name a file or a pattern; signctl formats lists the types"};
};

/// Expands selections in order. The same real file reached twice is planned once, at its first
/// place. Folder arguments take every file below that `recognise` accepts (an empty one accepts
/// all). Folders are walked in the bytewise order of their names, through links, but no folder
/// twice; signctl's own files (".signctl-*") are never found by a wildcard.
///
/// @errors `input` for a path that does not exist, and for a pattern or folder that matches nothing
///         (unless allow_empty); `config` for a malformed pattern.
Result<FilePlan> expand(const std::vector<Selection>& selections,
                        const Recognise& recognise,
                        const NothingFound& nothing = {});

/// Whether `path` (with `/` separators) matches `glob`.
[[nodiscard]] bool glob_matches(std::string_view glob, std::string_view path);

}  // namespace signctl::plan
