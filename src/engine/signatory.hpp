// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/draft.hpp"
#include "engine/obtain_signature.hpp"
#include "engine/opened_file.hpp"

#include <signctl/result.hpp>

#include <optional>

namespace signctl::engine {

/// What signature is wanted of a file.
struct SignatureJob {
  const FileTask& task;
  const Placement& placement;
  Reuse reuse{Reuse::allowed};
};

/// Prepares the signature and obtains it, while the draft is being filled. A service may sign with
/// another certificate than it announced: where that is part of what is signed, everything is done
/// once more with that one.
///
/// @return  Empty as obtain_signature() has it.
/// @errors `unsupported` when the certificate is part of what is signed and the signer does not say
///         beforehand which it will be; `provider` when it changes twice.
Result<std::optional<ObtainedSignature>> prepare_and_obtain(OpenedFile& opened,
                                                            Draft& draft,
                                                            const SignatureJob& job,
                                                            const Stages& stages);

}  // namespace signctl::engine
