// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/engine.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <functional>

namespace signctl::engine {

/// Judges the chain of a fresh timestamp token by the gate's anchors, for
/// timestamp::Options::check_chain: a server whose tokens the gate would refuse is passed over for
/// the next one, and no file gets that far.
///
/// @param clock  Borrowed.
[[nodiscard]] std::function<Result<void>(ByteView token)> timestamp_trust(const Gate& gate,
                                                                          Clock& clock);

}  // namespace signctl::engine
