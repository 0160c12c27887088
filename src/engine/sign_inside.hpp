// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/atomic_file.hpp"
#include "engine/opened_file.hpp"
#include "engine/sign_file.hpp"

#include <signctl/result.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace signctl::engine {

/// A container that was packed anew.
struct Repacked {
  AtomicFile file;                 ///< Removed again with this object; its path has the bytes.
  std::vector<std::string> paths;  ///< What was signed inside, in the order of signing.
};

/// Signs an opened file into `output`; sign_file() without the opening.
using SignOpened =
    std::function<Result<FileOutcome>(OpenedFile& opened, const FileTask& task, Stages& stages)>;

/// Signs everything unsigned inside `file` that has to be signed, innermost first, and packs it
/// anew. Works beside `task.output`, on temporary files only.
///
/// @return  Empty when nothing inside was unsigned.
/// @errors `unsupported` when the container cannot be packed anew, before a signature is spent;
///         `gate` when a signature inside does not pass; those of signing.
Result<std::optional<Repacked>> sign_inside(OpenedFile& file,
                                            const FileTask& task,
                                            Stages& stages,
                                            const SignOpened& sign);

}  // namespace signctl::engine
