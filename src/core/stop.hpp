// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace signctl {

/// Asks running work to stop after the files in flight; async-signal-safe. There is one such wish
/// in a process, because there is one user who presses Ctrl-C.
void request_stop() noexcept;

/// Whether somebody asked. Loops that wait ask this: from then on nothing waits long.
[[nodiscard]] bool stop_requested() noexcept;

}  // namespace signctl
