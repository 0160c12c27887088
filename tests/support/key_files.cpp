// SPDX-License-Identifier: Apache-2.0
#include "support/key_files.hpp"

#include "core/text.hpp"
#include "crypto/handles.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

#include <stdexcept>

#include <openssl/pem.h>

namespace signctl::test {
namespace {

crypto::CertificateTemplate authority(const std::string& name) {
  crypto::CertificateTemplate wanted;
  wanted.subject = {{"CN", name}};
  wanted.not_before = day(-1000);
  wanted.not_after = day(1000);
  wanted.ca = true;
  wanted.key_usage = "critical,keyCertSign,cRLSign";
  return wanted;
}

struct Authorities {
  crypto::KeyBundle root;
  crypto::KeyBundle intermediate;
};

const Authorities& authorities() {
  static const Authorities made = [] {
    const auto root_key = must(crypto::PrivateKey::generate(crypto::PrivateKey::Spec::p256));
    const auto root = must(crypto::issue_certificate(authority("Test Root"), root_key, nullptr));
    const crypto::KeyBundle root_bundle{root_key, {root}};
    const auto key = must(crypto::PrivateKey::generate(crypto::PrivateKey::Spec::p256));
    const auto certificate =
        must(crypto::issue_certificate(authority("Test Issuing CA"), key, &root_bundle));
    return Authorities{root_bundle, {key, {certificate, root}}};
  }();
  return made;
}

}  // namespace

TimePoint day(int days) {
  constexpr std::chrono::seconds kDayZero{1'795'435'200};
  return TimePoint{kDayZero} + std::chrono::days(days);
}

crypto::CertificateTemplate code_signing_leaf() {
  crypto::CertificateTemplate wanted;
  wanted.subject = {{"CN", "Test Signer"}};
  wanted.not_before = day(-100);
  wanted.not_after = day(300);
  wanted.key_usage = "critical,digitalSignature";
  wanted.extended_key_usage = "1.3.6.1.5.5.7.3.3";
  return wanted;
}

KeyChain make_key_chain(crypto::PrivateKey::Spec spec, const crypto::CertificateTemplate& leaf) {
  auto key = must(crypto::PrivateKey::generate(spec));
  auto certificate = must(crypto::issue_certificate(leaf, key, &authorities().intermediate));
  return {std::move(key),
          std::move(certificate),
          authorities().intermediate.chain.front(),
          authorities().root.chain.front()};
}

void spill_pfx(const std::string& path,
               const crypto::KeyBundle& bundle,
               const std::string& password) {
  spill(path, must(crypto::write_pkcs12(bundle, Secret(password), "test")));
}

void spill_pem(const std::string& path, const std::vector<crypto::Certificate>& certificates) {
  spill(path, as_bytes(crypto::to_pem(certificates)));
}

void spill_pem(const std::string& path,
               const crypto::PrivateKey& key,
               const std::string& password) {
  const crypto::BioHandle out(BIO_new(BIO_s_mem()));
  const EVP_CIPHER* cipher = password.empty() ? nullptr : EVP_aes_256_cbc();
  if (!out || PEM_write_bio_PKCS8PrivateKey(out.get(),
                                            key.pkey(),
                                            cipher,
                                            cipher == nullptr ? nullptr : password.data(),
                                            static_cast<int>(password.size()),
                                            nullptr,
                                            nullptr) != 1) {
    throw std::runtime_error("cannot write a private key");
  }
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  spill(path, as_bytes({text, static_cast<std::size_t>(size)}));
}

}  // namespace signctl::test
