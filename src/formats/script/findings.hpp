// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/script/block.hpp"

#include <signctl/finding.hpp>
#include <signctl/format.hpp>

#include <string_view>
#include <vector>

namespace signctl::script {

/// Everything odd about the file around the signature.
[[nodiscard]] std::vector<Finding> container_findings(const Script& script);

/// Whether signed content is for this kind of script. Subjects are left empty.
[[nodiscard]] std::vector<Finding> check_sip(const Dialect& dialect,
                                             std::string_view data_type,
                                             ByteView data_value);

/// For `inspect`.
[[nodiscard]] std::vector<FileFact> facts_of(const Script& script);

}  // namespace signctl::script
