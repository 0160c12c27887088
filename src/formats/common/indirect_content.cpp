// SPDX-License-Identifier: Apache-2.0
#include "formats/common/indirect_content.hpp"

#include "crypto/oids.hpp"

#include <utility>

namespace signctl {

Result<SigningContent> read_indirect_content(ByteView econtent, cms::DigestField field) {
  SIGNCTL_TRY(cms::IndirectData data, cms::parse_indirect_data(econtent, field), "");
  SigningContent content;
  content.content_type = oid::kSpcIndirectData;
  content.econtent.assign(econtent.begin(), econtent.end());
  content.file_digest = std::move(data.digest);
  content.alg = data.alg;
  return content;
}

}  // namespace signctl
