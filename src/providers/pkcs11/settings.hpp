// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"
#include "providers/pkcs11/objects.hpp"
#include "providers/pkcs11/pin.hpp"
#include "providers/pkcs11/uri.hpp"

#include <signctl/provider.hpp>
#include <signctl/result.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace signctl::providers::pkcs11 {

/// The provider's keys.
[[nodiscard]] std::span<const SettingSpec> setting_specs();

/// The settings, understood.
struct Options {
  std::string module;       ///< Absolute path; empty: find one.
  std::string module_name;  ///< `module-name` of the URI, for finding one.
  std::string token;
  std::string serial;
  Uri uri;
  Wanted wanted;
  std::optional<Secret> pin;
  std::vector<crypto::Certificate> certificates;  ///< Of setting `chain`.
  std::chrono::milliseconds timeout{60'000};
  std::uint64_t user{1};
  LastTry last_try{LastTry::refuse};
};

/// @errors `config` for values that are wrong or contradict each other; `input` for files.
Result<Options> read_options(const ProviderSettings& settings);

}  // namespace signctl::providers::pkcs11
