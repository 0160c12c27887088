// SPDX-License-Identifier: Apache-2.0
#include "provider_fixture.hpp"

namespace signctl::test {

std::unique_ptr<ProviderFixture> make_fixture(std::string_view provider) {
  if (provider == "pfx") {
    return make_pfx_fixture();
  }
  if (provider == "trusted-signing") {
    return make_trusted_signing_fixture();
  }
  if (provider == "azure-key-vault") {
    return make_key_vault_fixture();
  }
  if (provider == "pkcs11") {
    return make_pkcs11_fixture();
  }
  if (provider == "aws-kms") {
    return make_aws_kms_fixture();
  }
  if (provider == "google-kms") {
    return make_google_kms_fixture();
  }
  if (provider == "vault") {
    return make_vault_fixture();
  }
  if (provider == "signserver") {
    return make_signserver_fixture();
  }
  if (provider == "keylocker") {
    return make_keylocker_fixture();
  }
  return nullptr;
}

}  // namespace signctl::test
