// SPDX-License-Identifier: Apache-2.0
#include "fake/personality.hpp"

// One line per service: its name, signctl's provider, and the function that makes it.
// clang-format off
#define SIGNCTL_PERSONALITIES(ROW) \
  ROW("entra", "", make_entra) \
  ROW("artifact-signing", "trusted-signing", make_artifact_signing) \
  ROW("key-vault", "azure-key-vault", make_key_vault) \
  ROW("aws-kms", "aws-kms", make_aws_kms) \
  ROW("google-kms", "google-kms", make_google_kms) \
  ROW("vault", "vault", make_vault) \
  ROW("signserver", "signserver", make_signserver) \
  ROW("keylocker", "keylocker", make_keylocker)
// clang-format on

// NOLINTBEGIN(cppcoreguidelines-macro-usage,bugprone-macro-parentheses): declares names.
#define DECLARE(name, provider, function) std::unique_ptr<Personality> function(Lab& lab);
#define ENTRY(name, provider, function) PersonalityRow{name, provider, function},
// NOLINTEND(cppcoreguidelines-macro-usage,bugprone-macro-parentheses)

namespace signctl::fake {

SIGNCTL_PERSONALITIES(DECLARE)

std::span<const PersonalityRow> personalities() {
  static const std::vector<PersonalityRow> table{SIGNCTL_PERSONALITIES(ENTRY)};
  return table;
}

}  // namespace signctl::fake
