// SPDX-License-Identifier: Apache-2.0
#include "fake/client_file.hpp"

#include "core/text.hpp"
#include "support/must.hpp"

#include <utility>

namespace signctl::fake {

Bytes client_pkcs12(Rig& rig, Client client) {
  const auto& bundle =
      client == Client::admitted ? rig.lab.pki().client() : rig.lab.pki().stranger();
  return test::must(crypto::write_pkcs12(bundle, Secret(kClientPassword), "client"));
}

std::string client_file(Rig& rig, Client client) {
  return rig.file(client == Client::admitted ? "client.p12" : "stranger.p12",
                  as_text(client_pkcs12(rig, client)));
}

ProviderSettings with_client(Rig& rig, ProviderSettings settings) {
  return with_secret(with(std::move(settings), "client_certificate", client_file(rig)),
                     "client_certificate_password",
                     kClientPassword);
}

}  // namespace signctl::fake
