// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/common/zip_archive.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/finding.hpp>
#include <signctl/result.hpp>

#include <vector>

namespace signctl::vsix {

/// Looks at what headers hold beside a part's name and bytes: signatures cover parts, not entries.
/// Reported are other names, attributes of something else than a file, and more data in extra
/// fields and comments than those of the usual tools carry.
Result<std::vector<Finding>> check_entries(const ByteSource& source, const zip::Archive& archive);

}  // namespace signctl::vsix
