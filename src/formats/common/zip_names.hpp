// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/common/zip_archive.hpp"

#include <signctl/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace signctl::zip {

/// Refuses a name that could leave the folder it is unpacked into or that readers understand
/// differently: empty, absolute, with `..`, a drive letter, NUL or control characters; in a package
/// also with a backslash, an empty component or `.`.
Result<void> check_name(std::string_view name, Strictness strictness);

/// Refuses two entries of one name; in a package also of names that differ in ASCII case only.
Result<void> check_no_duplicates(const std::vector<Entry>& entries, Strictness strictness);

}  // namespace signctl::zip
