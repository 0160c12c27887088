// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/pe/layout.hpp"

#include <signctl/patch_set.hpp>

namespace signctl::pe {

/// Whether `edits`, made to an image laid out as `before`, give one laid out as `after` whose
/// digest covers the same bytes and the zeros that pad them: they may touch CheckSum, the security
/// directory entry and what follows the content, and nothing else. The zeros are not looked at.
[[nodiscard]] bool leaves_content_alone(const Layout& before,
                                        const Layout& after,
                                        const PatchSet& edits);

}  // namespace signctl::pe
