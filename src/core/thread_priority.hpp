// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace signctl {

/// Lets the threads that somebody waits for go before the calling one. Best effort; for the rest of
/// the thread's life.
void yield_to_other_threads() noexcept;

}  // namespace signctl
