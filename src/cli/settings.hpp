// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/common_options.hpp"
#include "cli/context.hpp"
#include "config/config.hpp"
#include "engine/complete_chain.hpp"
#include "engine/run.hpp"
#include "engine/sign_file.hpp"
#include "timestamp/client.hpp"

#include <signctl/provider.hpp>
#include <signctl/result.hpp>

#include <optional>
#include <string>
#include <vector>

// What the command line and the config say together. The command line wins.
namespace signctl::cli {

/// A path of the config: relative ones are relative to `folder`, which may be empty.
[[nodiscard]] std::string in_folder(const std::string& folder, const std::string& path);

/// The config given, or the nearest one, or the defaults.
Result<config::Config> load_config(const ConfigFlags& flags);

/// A signer and the provider behind it.
struct SignerChoice {
  config::Signer signer;
  const Provider* provider{};
  std::string folder;  ///< What its relative paths are relative to.
};

/// @errors `config` when none is named or the name is unknown; `usage` for flags that exclude each
///         other; `unsupported` when the provider has no use for --chain.
Result<SignerChoice> choose_signer(const config::Config& config, const SignerFlags& flags);

/// What `limits.quota` says that the signer may still make.
[[nodiscard]] std::optional<int> quota_left(const SignerChoice& choice,
                                            const config::Config& config);

/// The signers that may sign, in order of preference: more than one only where the config names
/// fallbacks and the command line no signer.
///
/// @errors as choose_signer().
Result<std::vector<SignerChoice>> choose_signers(const config::Config& config,
                                                 const SignerFlags& flags);

/// What each signature is to be.
Result<engine::SignOptions> sign_options(const config::Config& config,
                                         const SignatureFlags& signature,
                                         const ExistingFlags& existing,
                                         const TimestampFlags& timestamp);

/// The timestamp client's options; empty when no timestamp is wanted. Where nothing else names a
/// server, that of `provider`, which may be null.
///
/// @errors `config` when one is wanted and no server is named.
Result<std::optional<timestamp::Options>> timestamp_options(const config::Config& config,
                                                            const TimestampFlags& flags,
                                                            const Provider* provider);

/// The gate of a command that does not say how it wants timestamps: as the config has it.
Result<engine::Gate> make_gate(const config::Config& config,
                               const TrustFlags& flags,
                               Context& context);

/// Adds what `--timestamp` and `--expect-...` ask for.
Result<void> apply(const ExpectFlags& flags, GateRules& rules);
Result<void> apply(const IdentityFlags& flags, GateRules& rules);

/// The rules by which calls and timestamps are tried again.
[[nodiscard]] RetryRules retry_rules(const config::Config& config);

/// Where the signatures of a run are noted, and where finished ones are found again.
[[nodiscard]] engine::ShelfOptions shelf_options(const config::Config& config,
                                                 const RunFlags& flags,
                                                 const std::vector<SignerChoice>& signers);

/// What can be said before anybody logs in of files that an earlier run signed.
struct Foresight {
  std::unique_ptr<engine::Shelf> shelf;  ///< Only to look at.
  engine::Stages stages;                 ///< For engine::foresee_file(). Borrows `gate` and shelf.
};
Result<Foresight> look_ahead(const config::Config& config,
                             const RunFlags& flags,
                             const std::vector<SignerChoice>& signers,
                             const engine::Gate& gate,
                             Context& context);

/// Whether a run may use the session in the background (signctl session start), and what it trusts.
struct SessionUse {
  bool allowed{false};
  TrustFlags trust{};
};

/// What a run signs with. Logs in at once, so that a wrong password is one error before the first
/// file and not one for each. Borrows what is in `context`.
///
/// @param jobs  Most signatures at a time, where the signer bears that many.
Result<engine::Crew> make_crew(const std::vector<SignerChoice>& signers,
                               const std::optional<timestamp::Options>& timestamp,
                               const config::Config& config,
                               int jobs,
                               const SessionUse& session,
                               Context& context);

/// How a signer's own session is opened: settings resolved, chains completed.
[[nodiscard]] engine::SessionMaker session_maker(const SignerChoice& choice,
                                                 const config::Config& config,
                                                 Context& context);

}  // namespace signctl::cli
