// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/module_paths.hpp"

namespace signctl::providers::pkcs11 {

const std::vector<KnownModule>& known_modules() {
  static const std::vector<KnownModule> kModules{
      {"SafeNet eToken", {R"(C:\Windows\System32\eTPKCS11.dll)"}},
      {"Thales Luna", {R"(C:\Program Files\SafeNet\LunaClient\cryptoki.dll)"}},
      {"Entrust nShield", {R"(C:\Program Files\nCipher\nfast\toolkits\pkcs11\cknfast.dll)"}},
      {"Utimaco", {R"(C:\Program Files\Utimaco\CryptoServer\Lib\cs_pkcs11_R3.dll)"}},
      {"AWS CloudHSM", {R"(C:\Program Files\Amazon\CloudHSM\lib\cloudhsm_pkcs11.dll)"}},
      {"YubiKey", {R"(C:\Program Files\Yubico\Yubico PIV Tool\bin\libykcs11.dll)"}},
      {"DigiCert", {R"(C:\Program Files\DigiCert\DigiCert Keylocker Tools\smpkcs11.dll)"}},
      {"SoftHSM2", {R"(C:\SoftHSM2\lib\softhsm2-x64.dll)"}},
      {"OpenSC", {R"(C:\Program Files\OpenSC Project\OpenSC\pkcs11\opensc-pkcs11.dll)"}},
  };
  return kModules;
}

}  // namespace signctl::providers::pkcs11
