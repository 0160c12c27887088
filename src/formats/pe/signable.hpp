// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/byte_source.hpp>
#include <signctl/format.hpp>

#include <memory>

namespace signctl::pe {

/// Opens an image.
///
/// @errors as for read_layout().
Result<std::unique_ptr<Signable>> open_image(std::shared_ptr<const ByteSource> source);

}  // namespace signctl::pe
