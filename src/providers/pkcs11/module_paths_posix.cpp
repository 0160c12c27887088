// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/module_paths.hpp"

namespace signctl::providers::pkcs11 {

const std::vector<KnownModule>& known_modules() {
#ifdef __APPLE__
  static const std::vector<KnownModule> modules{
      {"SafeNet eToken", {"/usr/local/lib/libeTPkcs11.dylib"}},
      {"Thales Luna", {"/usr/local/safenet/lunaclient/lib/libCryptoki2_64.dylib"}},
      {"Entrust nShield", {"/opt/nfast/toolkits/pkcs11/libcknfast.dylib"}},
      {"YubiHSM 2", {"/usr/local/lib/pkcs11/yubihsm_pkcs11.dylib"}},
      {"YubiKey", {"/opt/homebrew/lib/libykcs11.dylib", "/usr/local/lib/libykcs11.dylib"}},
      {"OpenSC", {"/Library/OpenSC/lib/opensc-pkcs11.so"}},
      {"SoftHSM2",
       {"/opt/homebrew/lib/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"}},
  };
#else
  static const std::vector<KnownModule> modules{
      {"SafeNet eToken",
       {"/usr/lib64/libeTPkcs11.so",
        "/usr/lib64/libeToken.so",
        "/usr/lib/pkcs11/libeTPkcs11.so",
        "/usr/lib/libeTPkcs11.so",
        "/usr/lib/libeToken.so"}},
      {"Thales Luna",
       {"/usr/safenet/lunaclient/lib/libCryptoki2_64.so",
        "/usr/lunasa/lib/libCryptoki2_64.so",
        "/opt/thales/dpodclient/libs/64/libCryptoki2.so"}},
      {"Thales ProtectServer",
       {"/opt/safenet/protecttoolkit7/ptk/lib/libcryptoki.so",
        "/opt/safenet/protecttoolkit5/ptk/lib/libcryptoki.so"}},
      {"Entrust nShield", {"/opt/nfast/toolkits/pkcs11/libcknfast.so"}},
      {"Utimaco",
       {"/opt/utimaco/lib/libcs_pkcs11_R3.so",
        "/opt/utimaco/p11/libcs_pkcs11_R3.so",
        "/lib/libcs_pkcs11_R3.so",
        "/etc/utimaco/libcs_pkcs11_R2.so"}},
      {"AWS CloudHSM", {"/opt/cloudhsm/lib/libcloudhsm_pkcs11.so"}},
      {"Securosys Primus", {"/usr/local/primus/lib/libprimusP11.so"}},
      {"YubiHSM 2", {"/usr/lib/{triplet}/pkcs11/yubihsm_pkcs11.so"}},
      {"YubiKey",
       {"/usr/lib64/libykcs11.so",
        "/usr/lib64/libykcs11.so.1",
        "/usr/lib/{triplet}/libykcs11.so",
        "/usr/lib/{triplet}/libykcs11.so.1",
        "/usr/lib/{triplet}/libykcs11.so.2"}},
      {"TPM2",
       {"/usr/lib/{triplet}/pkcs11/libtpm2_pkcs11.so",
        "/usr/lib/{triplet}/libtpm2_pkcs11.so.1",
        "/usr/lib/{triplet}/libtpm2_pkcs11.so.0",
        "/usr/lib/pkcs11/libtpm2_pkcs11.so",
        "/usr/local/lib/libtpm2_pkcs11.so",
        "/run/current-system/sw/lib/libtpm2_pkcs11.so"}},
      {"SoftHSM2",
       {"/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib/{triplet}/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
        "/usr/local/lib/softhsm/libsofthsm2.so"}},
      {"opencryptoki",
       {"/usr/lib/{triplet}/opencryptoki/libopencryptoki.so",
        "/usr/lib/{triplet}/pkcs11/libopencryptoki.so",
        "/usr/lib64/opencryptoki/libopencryptoki.so"}},
      {"OpenSC",
       {"/usr/lib64/opensc-pkcs11.so",
        "/usr/lib64/pkcs11/opensc-pkcs11.so",
        "/usr/lib/{triplet}/opensc-pkcs11.so"}},
      {"p11-kit", {"/usr/lib/{triplet}/p11-kit-proxy.so", "/usr/lib64/p11-kit-proxy.so"}},
  };
#endif
  return modules;
}

}  // namespace signctl::providers::pkcs11
