// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/provider.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <functional>
#include <memory>

namespace signctl::engine {

using SessionMaker = std::function<Result<std::unique_ptr<SigningSession>>()>;

/// `make`, whose sessions have the issuers' certificates fetched (trust/issuers.hpp) where they
/// bring a leaf alone: keys in services and on tokens often come without, and verifiers then find
/// no chain. Each leaf is looked up once a run. What cannot be had is warned of and left out: the
/// signature is as good as before, and the gate judges the chain.
[[nodiscard]] SessionMaker complete_chains(SessionMaker make, World world);

}  // namespace signctl::engine
