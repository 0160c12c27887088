// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/common/rest.hpp"

#include <signctl/secret.hpp>
#include <signctl/world.hpp>

#include <vector>

// Services, gateways and proxies repeat in their errors what they were sent, credentials included.
namespace signctl::providers {

/// What of a request nobody may read who was not its receiver, longest first: all headers but those
/// known to be harmless, and the fields of query and body whose names tell. Texts below 8
/// characters are left out, below 4 of PINs and passwords: they could be words of any message. With
/// them comes what they are in base64 and percent-encoded.
[[nodiscard]] std::vector<Secret> secrets_of(const HttpRequest& request);

/// Puts "[secret]" where `reply` repeats one of `secrets`, in capitals or not; one below 8
/// characters only as a whole word of an error. A field of a 2xx that is nothing but
/// the secret is left alone: that is how services hand a renewed token over.
void hide_secrets(const std::vector<Secret>& secrets, Reply& reply);

}  // namespace signctl::providers
