// SPDX-License-Identifier: Apache-2.0
#include "config/tables.hpp"

#include <signctl/provider.hpp>

#include <algorithm>
#include <array>

namespace signctl::config {
namespace {

constexpr std::array<std::string_view, 3> kDigests{"sha256", "sha384", "sha512"};
constexpr std::array<std::string_view, 4> kIfSigned{"fail", "skip-valid", "append", "replace"};
constexpr std::array<std::string_view, 2> kTimestampRules{"required", "optional"};
constexpr std::array<std::string_view, 3> kNested{"off", "report", "require-signed"};
// "hard" is a word of the format, but refused until revocation can be required of every
// certificate.
constexpr std::array<std::string_view, 2> kRevocation{"soft", "off"};

constexpr std::array kTimestampKeys{
    KeySpec{.key = "servers",
            .type = ValueType::url_list,
            .help = "RFC 3161 timestamp servers, tried in order; `dev:` and `dev:FILE` are a "
                    "local one for "
                    "rehearsals",
            .example = "[http://timestamp.digicert.com]"},
    KeySpec{.key = "digest",
            .type = ValueType::choice,
            .help = "Hash algorithm of the timestamp's imprint",
            .fallback = "sha256",
            .choices = kDigests},
    KeySpec{.key = "interval",
            .type = ValueType::duration,
            .help = "Least time between two requests to one server, on average; some ask for 15s",
            .fallback = "0s"},
    KeySpec{
        .key = "burst",
        .type = ValueType::integer,
        .help = "Requests to one server that may follow each other at once before `interval` holds",
        .fallback = "1",
        .min = 1,
        .max = 1000},
};
constexpr Section kTimestamp{kTimestampKeys};

constexpr std::array kRetryKeys{
    KeySpec{.key = "attempts",
            .type = ValueType::integer,
            .help = "Tries of one call, or of one timestamp at each server, the first included; "
                    "only failures "
                    "that may pass are tried again",
            .fallback = "6",
            .min = 1,
            .max = 100},
    KeySpec{.key = "initial",
            .type = ValueType::duration,
            .help = "Upper bound of the first wait; it doubles each time",
            .fallback = "500ms"},
    KeySpec{.key = "max",
            .type = ValueType::duration,
            .help = "Upper bound of any wait",
            .fallback = "30s"},
    KeySpec{.key = "deadline",
            .type = ValueType::duration,
            .help = "When the whole run stops trying again",
            .fallback = "15m"},
};
constexpr Section kRetry{kRetryKeys};

constexpr std::array kSignKeys{
    KeySpec{.key = "signer",
            .type = ValueType::text_list,
            .help =
                "Name of the signer to use; without it, the only one there is. Of a list, the "
                "second signs "
                "what the first cannot once all attempts are spent, and must satisfy the same gate",
            .example = "[release, emergency]"},
    KeySpec{.key = "digest",
            .type = ValueType::choice,
            .help = "Hash algorithm of the signature",
            .fallback = "sha256",
            .choices = kDigests},
    KeySpec{.key = "description",
            .type = ValueType::text,
            .help = "Product name that Windows shows in its elevation prompt",
            .example = "Contoso Studio"},
    KeySpec{.key = "url",
            .type = ValueType::text,
            .help = "Address that goes with the description",
            .example = "https://contoso.example/"},
    KeySpec{.key = "page-hashes",
            .type = ValueType::boolean,
            .help = "Whether to add a hash of each memory page (PE files)",
            .fallback = "false"},
    KeySpec{.key = "complete-chain",
            .type = ValueType::boolean,
            .help = "Whether the issuers' certificates are fetched from where the certificate says "
                    "(AIA) when neither service, token nor `chain` has any",
            .fallback = "true"},
    KeySpec{
        .key = "if-signed",
        .type = ValueType::choice,
        .help =
            "What to do with a file that already carries a signature; `skip-valid` leaves it alone "
            "only if it passes the gate",
        .fallback = "fail",
        .choices = kIfSigned},
    KeySpec{.key = "timestamp", .type = ValueType::section, .help = "", .section = &kTimestamp},
    KeySpec{.key = "jobs",
            .type = ValueType::integer,
            .help = "Most signatures asked for at the same time; begins lower, climbs while all is "
                    "well, and halves when the service is in trouble",
            .fallback = "8",
            .min = 1,
            .max = 256},
    KeySpec{.key = "retry", .type = ValueType::section, .help = "", .section = &kRetry},
};
constexpr Section kSign{kSignKeys};

constexpr std::array kStepKeys{
    KeySpec{.key = "name",
            .type = ValueType::text,
            .need = Need::required,
            .help = "Name of the step, for `--step` and messages; unique",
            .example = "binaries"},
    KeySpec{
        .key = "files",
        .type = ValueType::text_list,
        .need = Need::required,
        .help =
            "Files, folders or globs (`**` spans folders), relative to the config file's folder",
        .example = R"(["publish/**/*.exe", "publish/**/*.dll"])"},
    KeySpec{.key = "exclude",
            .type = ValueType::text_list,
            .help = "Globs of files to leave out",
            .example = R"(["publish/**/vc_redist*"])"},
    KeySpec{.key = "allow-empty",
            .type = ValueType::boolean,
            .help = "Whether the step may match no file; otherwise that is an error",
            .fallback = "false"},
};
constexpr Section kStep{kStepKeys};

constexpr std::array kIssuerKeys{
    KeySpec{.key = "CN",
            .type = ValueType::text,
            .help = "Common name of whoever issued the signing certificate",
            .example = "Contoso Issuing CA"},
};
constexpr Section kIssuer{kIssuerKeys};

constexpr std::array kIdentityKeys{
    KeySpec{
        .key = "subject",
        .type = ValueType::text_map,
        .help =
            "Attributes of the signing certificate's subject and their exact values: `CN`, `O`, "
            "`OU`, `L`, `ST`, `C`, `serialNumber` and so on",
        .example = "{ CN: Contoso Ltd, O: Contoso Ltd }"},
    KeySpec{.key = "eku",
            .type = ValueType::oid_list,
            .help = "Extended key usages that the signing certificate must carry, all of them",
            .example = "[1.3.6.1.5.5.7.3.3]"},
    KeySpec{.key = "thumbprint",
            .type = ValueType::thumbprint,
            .help = "SHA-256 of the signing certificate in hex; colons are allowed"},
    KeySpec{.key = "issuer", .type = ValueType::section, .help = "", .section = &kIssuer},
};
constexpr Section kIdentity{kIdentityKeys};

constexpr std::array kGateKeys{
    KeySpec{.key = "timestamp",
            .type = ValueType::choice,
            .help = "Whether a signature without a valid timestamp is refused",
            .fallback = "required",
            .choices = kTimestampRules},
    KeySpec{
        .key = "trust",
        .type = ValueType::trust_list,
        .help =
            "Where chains may end: `system` is the machine's certificate store, `file:PATH` the "
            "certificates of a file, `signer` the certificate that signed, if it is self-signed "
            "(rehearsals only)",
        .fallback = "[system]",
        .example = R"([system, "file:ca.pem"])"},
    KeySpec{.key = "identity", .type = ValueType::section, .help = "", .section = &kIdentity},
    KeySpec{.key = "nested",
            .type = ValueType::choice,
            .help =
                "What to do about unsigned and badly signed files inside packages, archives and "
                "installers: `require-signed` refuses, `report` warns, `off` does not look",
            .fallback = "off",
            .choices = kNested},
    KeySpec{.key = "revocation",
            .type = ValueType::choice,
            .help =
                "This version looks up no revocation, whether `soft` or `off`, and says so in each "
                "report; `hard` it refuses",
            .fallback = "soft",
            .choices = kRevocation},
};
constexpr Section kGate{kGateKeys};

constexpr std::array kLimitKeys{
    KeySpec{.key = "signatures_per_run",
            .type = ValueType::integer,
            .help = "Refuse to start a run that would make more signatures than this",
            .example = "50",
            .min = 0,
            .max = 1'000'000},
    KeySpec{.key = "quota",
            .type = ValueType::number_map,
            .help =
                "How many signatures each signer may still make, by the signer's name; a run that "
                "would make more does not start, and a fallback stops there",
            .example = "{ release: 412 }",
            .min = 0,
            .max = 1'000'000},
};
constexpr Section kLimits{kLimitKeys};

constexpr std::array kAuditKeys{
    KeySpec{.key = "log",
            .type = ValueType::text,
            .help = "File to which each run appends what it signed, line by line; `signctl audit` "
                    "checks and shows it",
            .example = "signctl-audit.jsonl"},
    KeySpec{.key = "manifest",
            .type = ValueType::text,
            .help = "File that says what was signed, for `verify --manifest` before the upload",
            .example = "dist/signctl-manifest.json"},
};
constexpr Section kAudit{kAuditKeys};

constexpr std::array kRootKeys{
    KeySpec{.key = "version",
            .type = ValueType::integer,
            .need = Need::required,
            .help = "Version of this format",
            .example = "1",
            .min = 1,
            .max = 1},
    KeySpec{.key = "signers", .type = ValueType::signers, .help = "Signing identities by name"},
    KeySpec{.key = "sign", .type = ValueType::section, .help = "", .section = &kSign},
    KeySpec{.key = "steps", .type = ValueType::section_list, .help = "", .section = &kStep},
    KeySpec{.key = "gate", .type = ValueType::section, .help = "", .section = &kGate},
    KeySpec{.key = "limits", .type = ValueType::section, .help = "", .section = &kLimits},
    KeySpec{.key = "audit", .type = ValueType::section, .help = "", .section = &kAudit},
    KeySpec{.key = "journal",
            .type = ValueType::text,
            .help =
                "File in which signatures are noted as soon as they are made, so that a run that "
                "dies is continued without paying twice; `off` for none. Without this key, "
                "`.signctl-journal` beside the config for signers whose signatures cost money",
            .example = ".signctl-journal"},
    KeySpec{.key = "cache",
            .type = ValueType::text,
            .help = "Folder of finished signatures: files that have not changed since cost none",
            .example = "build/signctl-cache"},
};
constexpr Section kRoot{kRootKeys};

constexpr std::array<ReservedKey, 2> kReserved{{
    {"guard", "which pipelines may sign"},
    {"mode", "when signing is required"},
}};

}  // namespace

const KeySpec* Section::find(std::string_view key) const {
  const auto found = std::ranges::find(keys, key, &KeySpec::key);
  return found == keys.end() ? nullptr : &*found;
}

std::vector<std::string> Section::key_names() const {
  std::vector<std::string> names;
  names.reserve(keys.size());
  for (const KeySpec& spec : keys) {
    names.emplace_back(spec.key);
  }
  return names;
}

const Section& root_section() {
  return kRoot;
}

std::span<const ReservedKey> reserved_keys() {
  return kReserved;
}

std::vector<std::string> provider_names() {
  std::vector<std::string> names;
  const auto add = [&names](std::string_view name) {
    if (!name.empty() && std::ranges::find(names, name) == names.end()) {
      names.emplace_back(name);
    }
  };
  for (const Provider* provider : builtin_providers()) {
    add(provider->name());
    std::ranges::for_each(provider->aliases(), add);
  }
  return names;
}

}  // namespace signctl::config
