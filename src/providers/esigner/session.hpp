// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/esigner/account.hpp"

#include <signctl/provider.hpp>

#include <memory>

namespace signctl::providers::esigner {

/// What signs in an account, looked up.
struct Signer {
  Credential credential;
  Factors factors;
  bool scans;  ///< The service wants to know each file.
};

/// The first session of a run.
[[nodiscard]] std::unique_ptr<SigningSession> make_session(std::shared_ptr<Client> client,
                                                           Signer signer);

}  // namespace signctl::providers::esigner
