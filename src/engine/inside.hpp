// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "verify/verify.hpp"

#include <signctl/format.hpp>
#include <signctl/report.hpp>
#include <signctl/result.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

// Files inside files: in packages, archives, and cabinets within installers.
namespace signctl::engine {

/// How far a hostile file can make us go.
struct InsideLimits {
  int depth{6};
  std::uint64_t bytes{std::uint64_t{16} << 30U};  ///< Unpacked, all members together.
  std::size_t files{200'000};
};

/// A member that a format recognises.
struct InnerFile {
  std::string path;  ///< Within the outermost file.
  std::shared_ptr<const ByteSource> source;
  const Format* format{};
  std::string extension;
  std::unique_ptr<Signable> signable;
  std::string doubt{};  ///< Why a file of no known type should be looked at; mostly empty.
};

/// Something inside that cannot be looked at: its path, what it is about ("member-unreadable",
/// "members-limit", "member-unrecognised"), and what happened.
struct InsideProblem {
  std::string path;
  std::string id;
  std::string message;
  Severity severity{Severity::error};
};

/// What is done with what a walk meets. The order is that of the containers, outer before inner.
struct InsideVisitor {
  std::function<Result<void>(InnerFile& file)> file;
  std::function<void(InsideProblem problem)> problem;
};

/// Opens member `index`, recognises and parses it. Null signable for what is of no known type, and
/// for files that only look like signable ones (`is_meant_unnamed()`) and carry no signature.
///
/// @errors `input`, `unsupported` or `output` as of open_member(), detection and parsing; `input`
///         for an archive that goes by the name of a known type and does not begin like one.
Result<InnerFile> open_inner(Signable& container, const Member& member, std::size_t index);

/// Whether a type that was met inside has to carry a signature of its own.
[[nodiscard]] bool must_be_signed(const InnerFile& file);

/// Walks everything inside `file`. Each member is unpacked once, one at a time.
///
/// @errors those of the visitor, and `interrupted`.
Result<void> walk_inside(Signable& file, const InsideLimits& limits, const InsideVisitor& visitor);

/// Verifies everything inside `file` and adds it to `report`.
Result<void> look_inside(Signable& file,
                         const verify::Options& options,
                         const InsideLimits& limits,
                         Report& report);

/// What inside a file would have to be signed before it.
struct UnsignedInside {
  std::vector<std::string> unsigned_paths;
  std::vector<InsideProblem> problems;
};

/// @errors `input` or `unsupported` when the file itself cannot be read.
Result<UnsignedInside> find_unsigned_inside(const std::string& path_utf8);

}  // namespace signctl::engine
