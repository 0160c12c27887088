// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/byte_source.hpp>
#include <signctl/format.hpp>
#include <signctl/result.hpp>

#include <memory>

namespace signctl::nuget {

/// A NuGet package.
///
/// @errors those of read_package().
Result<std::unique_ptr<Signable>> open_package(std::shared_ptr<const ByteSource> source);

}  // namespace signctl::nuget
