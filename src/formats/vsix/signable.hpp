// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/format.hpp>

#include <memory>

namespace signctl::vsix {

/// Opens a Visual Studio extension package.
///
/// @errors those of Package::read().
Result<std::unique_ptr<Signable>> open_package(std::shared_ptr<const ByteSource> source);

}  // namespace signctl::vsix
