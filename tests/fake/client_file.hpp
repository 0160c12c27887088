// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fake/rig.hpp"

#include <string>

// Client certificates as PKCS#12 files, for services that ask for mutual TLS.
namespace signctl::fake {

/// Whose certificate: one that the services admit, or one that nobody they know has issued.
enum class Client { admitted, stranger };

/// The octets of a PKCS#12 file with kClientPassword.
[[nodiscard]] Bytes client_pkcs12(Rig& rig, Client client = Client::admitted);
/// A file with them.
[[nodiscard]] std::string client_file(Rig& rig, Client client = Client::admitted);
/// `settings` with that file and its password.
[[nodiscard]] ProviderSettings with_client(Rig& rig, ProviderSettings settings);

}  // namespace signctl::fake
