// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/secret_ref.hpp"

#include <signctl/digest_alg.hpp>
#include <signctl/policy.hpp>
#include <signctl/provider.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace signctl::config {

/// A place in a config file, 1-based; line 0 means the command line or a default.
struct Origin {
  std::string file;
  int line{};
  int column{};
};

/// One entry of `signers:`, or what `--provider KIND -p key=value` says.
struct Signer {
  std::string name;
  std::string provider;
  std::map<std::string, std::string> values;
  std::map<std::string, std::vector<SecretRef>> secrets;  ///< Tried in order.
  Origin origin;
};

enum class ExistingSignature { fail, skip_valid, append, replace };

struct Retry {
  int attempts{6};
  std::chrono::milliseconds initial{500};
  std::chrono::milliseconds max{30'000};
  std::chrono::milliseconds deadline{900'000};
};

/// `sign:`
struct Sign {
  /// Names in order; the second is the fallback. Without one in the file, the only signer there is.
  std::vector<std::string> signer;
  DigestAlg digest{DigestAlg::sha256};
  std::string description;
  std::string url;
  bool page_hashes{false};
  bool complete_chain{true};
  ExistingSignature if_signed{ExistingSignature::fail};
  std::vector<std::string> timestamp_servers;
  DigestAlg timestamp_digest{DigestAlg::sha256};
  std::chrono::milliseconds timestamp_interval{0};
  int timestamp_burst{1};
  int jobs{8};
  Retry retry;
};

/// One entry of `steps:`.
struct Step {
  std::string name;
  std::vector<std::string> files;  ///< Globs, UTF-8, relative to the config's folder.
  std::vector<std::string> exclude;
  bool allow_empty{false};
  Origin origin;
};

/// `gate:`
struct Gate {
  TimestampRule timestamp{TimestampRule::required};
  std::vector<std::string> trust{
      "system"};  ///< system | signer | file:PATH, the path as written: relative to `folder`.
  IdentityRule identity;
  NestedRule nested{NestedRule::off};
  std::string revocation{"soft"};  ///< off | soft (hard is refused: not available yet)
};

/// `limits:`
struct Limits {
  std::optional<int> signatures_per_run;
  std::map<std::string, int> quota;  ///< How many signatures a signer may still make, by name.
};

/// A validated configuration. Immutable once made.
struct Config {
  std::string file;    ///< UTF-8; empty when there is none.
  std::string folder;  ///< What relative paths are relative to; empty for the working directory.
  std::map<std::string, Signer> signers;
  Sign sign;
  std::vector<Step> steps;
  Gate gate;
  Limits limits;
  std::string audit_log;  ///< `audit.log`: path, or empty for none.
  std::string manifest;   ///< `audit.manifest`: path, or empty for none.
  std::string journal;    ///< Path, "off", or empty for what suits the signer.
  std::string cache;      ///< Folder; empty: none.
  /// Where each value came from, dotted key to origin text ("signctl.yaml:12:5", "default"). A list
  /// of texts is one value ("sign.signer"); entries of `steps` are "steps[0].name".
  std::map<std::string, std::string> origins;
};

/// Reads and validates YAML or JSON text.
///
/// @errors `config` with file, line, column, and a "did you mean" for unknown keys. A literal where
///         a secret reference belongs is an error that does not repeat it. Sections that this
///         version cannot enforce (`guard`, `audit`...) are `unsupported`, never ignored. A signer
///         whose provider this build does not have is kept; resolve() refuses it.
Result<Config> parse(std::string_view text, const std::string& file_utf8);

/// parse() of a file, at most 1 MB.
Result<Config> load(const std::string& path_utf8);

/// "signctl.yaml", "signctl.yml" or "signctl.json" in `start` or the nearest folder above it.
std::optional<std::string> find_config(const std::string& start_utf8);

/// A signer made from `--provider KIND -p key=value...`. A secret that is given several times is a
/// list of references.
///
/// @errors `usage`; `unsupported` for a provider that this build does not have.
Result<Signer> signer_from_flags(const std::string& provider,
                                 const std::vector<std::string>& pairs);

/// Resolves a signer's settings for its provider: environment fallbacks, relative paths against
/// `folder`, secrets fetched. Missing required keys are `config` errors; secrets that cannot be had
/// are `auth` errors; `unsupported` when this build does not have the provider.
Result<ProviderSettings> resolve(const Signer& signer,
                                 const std::string& folder,
                                 const Environment& environment);

/// How many signatures the signer may make at the same time (its `max_parallel`); 0 for no limit of
/// its own. Whoever runs jobs takes the smaller of this and `sign.jobs`.
[[nodiscard]] int max_parallel(const Signer& signer);

/// The JSON Schema (2020-12) of the config, as JSON text, generated from the same tables as the
/// reader.
std::string json_schema();

/// A commented starter file for `init`; empty if this build has no such provider.
std::string starter_yaml(std::string_view provider);

/// Every key, its default and meaning, as Markdown tables; the generated part of docs/config.md.
std::string reference_markdown();

}  // namespace signctl::config
