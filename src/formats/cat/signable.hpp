// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/byte_source.hpp>
#include <signctl/format.hpp>
#include <signctl/result.hpp>

#include <memory>

namespace signctl::cat {

/// A catalog, read as a whole.
///
/// @errors `input` when it is malformed or larger than 16 MB.
Result<std::unique_ptr<Signable>> open_catalog(const ByteSource& source);

}  // namespace signctl::cat
