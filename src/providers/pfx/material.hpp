// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/certificate.hpp"
#include "crypto/keys.hpp"

#include <signctl/provider.hpp>
#include <signctl/result.hpp>

#include <string>
#include <vector>

namespace signctl::providers::pfx {

/// A private key from a file and the certificates that go with it.
struct Material {
  crypto::PrivateKey key;
  std::vector<crypto::Certificate> chain;  ///< Leaf first, self-signed root left out.
};

/// Reads what the settings name: `file`, or `key` and `certificate`; and `chain`.
///
/// @errors `config` when the settings contradict each other, or key and certificate do not belong
///         together; `input` for files; `auth` for a wrong or missing password; `unsupported` for
///         keys that are neither RSA nor EC on a named curve.
Result<Material> load_material(const ProviderSettings& settings);

/// The files among the settings that hold the private key.
[[nodiscard]] std::string key_file(const ProviderSettings& settings);

/// Whether the certificate says it was issued under the CA/Browser Forum's code signing rules,
/// which since June 2023 demand a key in hardware.
[[nodiscard]] bool is_publicly_trusted(const crypto::Certificate& certificate);

/// Whether users other than the file's owner and group may read it; false where that is not a
/// question of mode bits, or cannot be told.
[[nodiscard]] bool is_readable_by_everybody(const std::string& path_utf8);

}  // namespace signctl::providers::pfx
