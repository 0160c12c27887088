// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/pkcs11/driver.hpp"
#include "providers/pkcs11/settings.hpp"

#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <memory>
#include <string>
#include <vector>

// Finding the module and the token. Nothing here logs in.
namespace signctl::providers::pkcs11 {

/// A loaded module and what it shows.
struct OpenModule {
  std::shared_ptr<Driver> driver;
  std::shared_ptr<Link> link;  ///< For everything but signatures.
  std::string path;
  ModuleInfo info;
  std::vector<Slot> slots;
};

/// A loaded module and the one token in it that was meant.
struct OpenToken {
  OpenModule module;
  Slot slot;  ///< With its token.
};

/// What a module returned, as its value or an error that names the call.
Result<Reply> ask(Link& link, const Request& request, std::chrono::milliseconds limit);

/// Loads one module, unless some signer of this process has it loaded, and lists its slots.
///
/// @errors `config` when it is no module; `provider` when it does not start; `network` when it
/// hangs
///         or crashes.
Result<OpenModule> open_module(const std::string& path, std::chrono::milliseconds limit);

/// Slots whose token is initialised and is the one that the options describe.
[[nodiscard]] std::vector<Slot> matching_slots(const OpenModule& module, const Options& options);

/// The token that the options describe: in their module, or in the first installed one that has it.
///
/// @errors as open_module(); `provider` when there is no such token; `config` when there are
/// several,
///         listing them.
Result<OpenToken> open_token(const Options& options, World world);

/// "\"CONTOSO EV\", serial 0123, eToken 5110, slot 0"
[[nodiscard]] std::string describe(const Slot& slot);

}  // namespace signctl::providers::pkcs11
