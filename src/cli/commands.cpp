// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"

#include <array>

// Adding a command: one file with its function, and one entry here.
// The order is that of the overview, in which sections stay together.
// clang-format off
#define SIGNCTL_COMMANDS(X)                                            \
  X(sign) X(verify) X(timestamp) X(remove)                             \
  X(digest) X(attach) X(extract)                                       \
  X(rehearse) X(dev_cert) X(signtool)                                  \
  X(session_start) X(session_stop) X(session_status) X(merge) X(seal)  \
  X(plan) X(inspect) X(providers) X(formats) X(trust_list) X(version)  \
  X(audit_verify) X(audit_show)                                        \
  X(init) X(doctor) X(config_show) X(config_schema) X(completion)      \
  X(man) X(exit_codes)
// clang-format on

namespace signctl::cli {

#define SIGNCTL_DECLARE_COMMAND(name) const Command& name##_command();
SIGNCTL_COMMANDS(SIGNCTL_DECLARE_COMMAND)
#undef SIGNCTL_DECLARE_COMMAND

std::span<const Command* const> commands() {
#define SIGNCTL_LIST_COMMAND(name) &name##_command(),
  static const std::array kCommands{SIGNCTL_COMMANDS(SIGNCTL_LIST_COMMAND)};
#undef SIGNCTL_LIST_COMMAND
  return kCommands;
}

}  // namespace signctl::cli
