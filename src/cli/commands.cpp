// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"

#include <array>

// Adding a command: one file with its function, and one line here.
#define SIGNCTL_COMMANDS(X)                                                                      \
  X(sign)                                                                                        \
  X(verify) X(inspect) X(plan) X(timestamp) X(remove) X(digest) X(attach) X(extract) X(rehearse) \
      X(dev_cert) X(init) X(doctor) X(config_show) X(config_schema) X(trust_list) X(providers)   \
          X(formats) X(completion) X(version) X(man) X(exit_codes)

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
