// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/byte_source.hpp>
#include <signctl/format.hpp>
#include <signctl/result.hpp>

#include <memory>

namespace signctl::zip {

/// A plain archive, which carries no signature itself: its members are what counts.
///
/// @errors those of read_archive() in its loose mode.
Result<std::unique_ptr<Signable>> open_archive(std::shared_ptr<const ByteSource> source);

}  // namespace signctl::zip
