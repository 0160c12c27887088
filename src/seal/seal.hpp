// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>

#include <string>
#include <string_view>
#include <vector>

// Brings files that say something of other files' bytes up to date.
namespace signctl::seal {

struct Options {
  std::vector<std::string>
      folders;                ///< Where files are looked for besides the dependent's own folder.
  bool leave_missing{false};  ///< What is said of files that are not there stays.
  bool leave_foreign{false};  ///< Signatures that we cannot make stay, stale; the caller warns.
};

/// One value that was not right.
struct Change {
  std::string target;  ///< The file that it is about, as the dependent calls it.
  std::string label;   ///< "sha512"
  std::string from;
  std::string to;  ///< Empty when it is taken out.
};

/// A dependent file and what it has to become.
struct SealedFile {
  std::string path;
  std::string type;             ///< Dependent::name()
  std::size_t values{};         ///< How many places in it say something of a file.
  std::vector<Change> changes;  ///< Empty when it is right already.
  std::vector<std::string> warnings;
  std::vector<std::string> targets;  ///< Paths of the files that it is about.
  std::string text;                  ///< As it is to be.
  std::string beside_values;         ///< The text without what it says of files: comments, notes.
};

/// What a run has to write.
struct Seal {
  std::vector<SealedFile> files;  ///< In an order in which each comes after those it is about.
  std::vector<std::string> block_maps;  ///< Files beside changed ones that have to go.
  std::vector<std::string> foreign;     ///< Signatures that became stale, a sentence each.

  [[nodiscard]] bool is_right() const;
};

/// Whether a file is of a type that is sealed, be it in UTF-16, which compute() refuses.
[[nodiscard]] bool is_dependent(const std::string& path_utf8);

/// Computes everything and writes nothing. A dependent that is about another dependent gets the
/// hash of what that one will be.
///
/// @errors `input` for a file of no known type or malformed, a file that is not there or in two
/// places, a
///         name that leads out of its folder, and dependents that are about each other; `gate` for
///         signatures of others that became stale, unless they are to be left.
Result<Seal> compute(const std::vector<std::string>& paths_utf8, const Options& options);

/// Writes what compute() found, each file as a whole, and takes stale block maps away.
///
/// @errors `output`.
Result<void> write(const Seal& seal);

}  // namespace signctl::seal
