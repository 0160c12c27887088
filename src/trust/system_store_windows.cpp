// SPDX-License-Identifier: Apache-2.0
#include "core/windows_api.hpp"
#include "trust/bundle.hpp"
#include "trust/stores.hpp"

#include <utility>
#include <wincrypt.h>

namespace signctl::trust {

namespace {

/// The ROOT store of the current user, which includes the machine's.
class WindowsStore final : public TrustStore {
 public:
  Result<std::vector<Anchor>> anchors_named(ByteView name_der,
                                            TrustPurpose purpose) const override {
    std::vector<Anchor> anchors;
    HCERTSTORE store = CertOpenSystemStoreW(0, L"ROOT");
    if (store == nullptr) {
      return Error{ErrorKind::input, "cannot open the ROOT certificate store"};
    }
    CRYPT_INTEGER_BLOB name{static_cast<DWORD>(name_der.size()),
                            const_cast<BYTE*>(name_der.data())};
    PCCERT_CONTEXT found = nullptr;
    while ((found = CertFindCertificateInStore(
                store, X509_ASN_ENCODING, 0, CERT_FIND_SUBJECT_NAME, &name, found)) != nullptr) {
      if (is_enabled_for(found, purpose)) {
        anchors.push_back({Bytes(found->pbCertEncoded, found->pbCertEncoded + found->cbCertEncoded),
                           "the Windows ROOT store",
                           false});
      }
    }
    CertCloseStore(store, 0);
    return anchors;
  }

  std::string describe() const override { return "the Windows ROOT store"; }

 private:
  static bool is_enabled_for(PCCERT_CONTEXT certificate, TrustPurpose purpose) {
    DWORD size = 0;
    if (CertGetEnhancedKeyUsage(
            certificate, CERT_FIND_PROP_ONLY_ENHKEY_USAGE_FLAG, nullptr, &size) == 0) {
      return true;  // No property: enabled for everything.
    }
    Bytes buffer(size);
    auto* usage = reinterpret_cast<PCERT_ENHKEY_USAGE>(buffer.data());
    if (CertGetEnhancedKeyUsage(certificate, CERT_FIND_PROP_ONLY_ENHKEY_USAGE_FLAG, usage, &size) ==
        0) {
      return false;
    }
    const char* wanted = purpose == TrustPurpose::code_signing ? szOID_PKIX_KP_CODE_SIGNING
                                                               : szOID_PKIX_KP_TIMESTAMP_SIGNING;
    for (DWORD i = 0; i < usage->cUsageIdentifier; ++i) {
      if (std::string(usage->rgpszUsageIdentifier[i]) == wanted) {
        return true;
      }
    }
    return false;
  }
};

}  // namespace

std::shared_ptr<const TrustStore> system_store(const Environment& environment) {
  std::vector<std::shared_ptr<const TrustStore>> stores;
  if (const auto file = environment.get("SSL_CERT_FILE")) {
    if (auto chosen = file_store(*file, "SSL_CERT_FILE " + *file)) {
      stores.push_back(std::move(*chosen));
    }
  }
  stores.push_back(std::make_shared<WindowsStore>());
  return composite(std::move(stores));
}

}  // namespace signctl::trust
