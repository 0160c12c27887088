// SPDX-License-Identifier: Apache-2.0
#include "cli/own_files.hpp"

#include "core/file.hpp"
#include "core/path.hpp"
#include "core/real_name.hpp"
#include "core/text.hpp"

#include <signctl/format.hpp>

#include <array>
#include <filesystem>
#include <unordered_set>

namespace signctl::cli {

namespace {

namespace fs = std::filesystem;

std::string name_of(const std::string& path) {
  return to_lower(to_utf8(to_path(path).filename()));
}

/// How reports begin: JSON and SARIF, JUnit and HTML, Markdown.
constexpr std::string_view kFirstOfReports = "{<#";

/// What is there must be of the kind that the run writes: all but reports are JSON, and no report
/// is of a type that can be signed.
Result<void> check_content(const OwnFile& file) {
  SIGNCTL_TRY(const auto source, FileSource::open(file.path), "");
  if (source->size() == 0) {
    return ok();
  }
  std::array<std::uint8_t, 1> first{};
  SIGNCTL_CHECK(source->read_at(0, first), "");
  bool foreign = first[0] != '{';
  if (file.kind == OwnKind::report) {
    // By content alone: a report may have any name.
    SIGNCTL_TRY(const Format* format, find_format(*source, ""), "");
    foreign = format != nullptr ||
              kFirstOfReports.find(static_cast<char>(first[0])) == std::string_view::npos;
  }
  if (foreign) {
    return Error{
        ErrorKind::usage,
        printable(file.path) + " is there and is nothing that " + std::string(file.flag) + " wrote",
        "give " + std::string(file.flag) + " a name of its own"};
  }
  return ok();
}

Result<void> check_place(const OwnFile& file) {
  std::error_code code;
  const fs::path path = to_path(file.path);
  if (fs::is_directory(path, code)) {
    return Error{ErrorKind::output,
                 printable(file.path) + " is a folder",
                 "give " + std::string(file.flag) + " the name of a file"};
  }
  const fs::path folder = path.parent_path();
  if (!folder.empty() && !fs::is_directory(folder, code)) {
    return Error{ErrorKind::output,
                 "the folder " + printable(to_utf8(folder)) + " of " + std::string(file.flag) +
                     " is not there",
                 "make the folder first"};
  }
  return fs::is_regular_file(path, code) ? check_content(file) : ok();
}

}  // namespace

Result<void> check_own_files(const std::vector<OwnFile>& files,
                             const std::vector<std::string>& taken) {
  std::unordered_set<std::string> names;
  for (const OwnFile& file : files) {
    names.insert(name_of(file.path));
  }
  // Among ten thousand files those that are not even called so need no looking at.
  std::unordered_set<std::string> known;
  for (const std::string& path : taken) {
    if (!path.empty() && names.contains(name_of(path))) {
      known.insert(real_name(to_path(path)));
    }
  }
  for (const OwnFile& file : files) {
    if (file.path.empty()) {
      continue;
    }
    if (!known.insert(real_name(to_path(file.path))).second) {
      return Error{ErrorKind::usage,
                   std::string(file.flag) + " would overwrite " + printable(file.path) +
                       ", which this run needs for something else",
                   "give " + std::string(file.flag) + " a name of its own"};
    }
    SIGNCTL_CHECK(check_place(file), "");
  }
  return ok();
}

}  // namespace signctl::cli
