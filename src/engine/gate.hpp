// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/draft.hpp"
#include "engine/opened_file.hpp"
#include "engine/sign_file.hpp"

#include <signctl/result.hpp>

#include <span>

namespace signctl::engine {

/// Judges an opened file.
Result<FileOutcome> judge_file(OpenedFile& file, const Gate& gate, TimePoint now);

/// Gives `opened`'s draft exactly `signatures`, judges the bytes that came of it by reading them
/// again, and puts them under their name if they pass. A refusal leaves nothing behind.
///
/// @return  State `done`, or `refused` with the verdict.
Result<FileOutcome> embed_and_commit(OpenedFile& opened,
                                     Draft draft,
                                     std::span<const Bytes> signatures,
                                     const Stages& stages);

}  // namespace signctl::engine
