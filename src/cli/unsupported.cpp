// SPDX-License-Identifier: Apache-2.0
#include "cli/unsupported.hpp"

#include <array>
#include <string>

namespace signctl::cli {

namespace {

struct Refusal {
  std::string_view name;
  std::string_view hint;
};

constexpr std::array kCommands{
    Refusal{"guard", "restrict who may sign with the rules of your CI environment"},
    Refusal{"trust update", "trust more with --trust-cert FILE or gate.trust in signctl.yaml"},
    Refusal{"trust add", "trust more with --trust-cert FILE or gate.trust in signctl.yaml"},
};

/// Flags of other tools whose effect we leave out on purpose.
constexpr std::array kForeign{
    Refusal{"--t", "legacy Authenticode timestamps are not made; use --timestamp-url (RFC 3161)"},
    Refusal{"-t", "legacy Authenticode timestamps are not made; use --timestamp-url (RFC 3161)"},
    Refusal{"--password", "secrets are never arguments: use -p password=env:NAME"},
    Refusal{"--pfx", "use --provider pfx -p file=FILE -p password=env:NAME"},
    Refusal{"-k", "TLS certificates are always checked; add a private CA with -p ca_file=FILE"},
    Refusal{"--insecure",
            "TLS certificates are always checked; add a private CA with -p ca_file=FILE"},
};

template <std::size_t N>
const Refusal* find(const std::array<Refusal, N>& table, std::string_view name) {
  for (const Refusal& refusal : table) {
    if (refusal.name == name) {
      return &refusal;
    }
  }
  return nullptr;
}

}  // namespace

std::optional<Error> unsupported_command(std::string_view name) {
  const Refusal* refusal = find(kCommands, name.substr(0, name.find(' ')));
  if (refusal == nullptr) {
    refusal = find(kCommands, name);
  }
  if (refusal == nullptr) {
    return std::nullopt;
  }
  return Error{ErrorKind::unsupported,
               "\"signctl " + std::string(refusal->name) + "\" is not in this version",
               std::string(refusal->hint)};
}

std::optional<Error> unsupported_flag(std::string_view name) {
  if (const Refusal* refusal = find(kForeign, name)) {
    return Error{ErrorKind::usage,
                 "unknown option \"" + std::string(name) + "\"",
                 std::string(refusal->hint)};
  }
  return std::nullopt;
}

}  // namespace signctl::cli
