// SPDX-License-Identifier: Apache-2.0
#include "crypto/issue.hpp"

#include "crypto/digest.hpp"
#include "crypto/handles.hpp"
#include "crypto/oids.hpp"
#include "crypto/openssl_error.hpp"

#include <utility>

#include <openssl/err.h>

namespace signctl::crypto {

namespace {

using NameHandle = Handle<X509_NAME, X509_NAME_free>;
using ExtensionHandle = Handle<X509_EXTENSION, X509_EXTENSION_free>;
using ObjectHandle = Handle<ASN1_OBJECT, ASN1_OBJECT_free>;
using OctetsHandle = Handle<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>;

Error failed(const std::string& what) {
  return openssl_error(ErrorKind::internal, "cannot make a certificate: " + what);
}

Result<void> set_names(X509* x509, const CertificateTemplate& wanted, const KeyBundle* issuer) {
  const NameHandle name(X509_NAME_new());
  for (const auto& [type, value] : wanted.subject) {
    if (X509_NAME_add_entry_by_txt(name.get(),
                                   type.c_str(),
                                   MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(value.data()),
                                   static_cast<int>(value.size()),
                                   -1,
                                   0) != 1) {
      return Error{ErrorKind::usage,
                   "\"" + value + "\" is not a possible " + type + " of a certificate (" +
                       drain_errors() + ")"};
    }
  }
  const X509_NAME* issuer_name =
      issuer == nullptr ? name.get() : X509_get_subject_name(issuer->chain.front().x509());
  if (X509_set_subject_name(x509, name.get()) != 1 ||
      X509_set_issuer_name(x509, issuer_name) != 1) {
    return failed("names");
  }
  return ok();
}

Result<void> set_serial_and_dates(X509* x509, const CertificateTemplate& wanted) {
  Bytes serial = random_bytes(16);
  serial[0] = static_cast<std::uint8_t>((serial[0] & 0x7FU) | 0x40U);
  const BignumHandle number(BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr));
  if (!number || BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x509)) == nullptr ||
      ASN1_TIME_set(X509_getm_notBefore(x509), wanted.not_before.time_since_epoch().count()) ==
          nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(x509), wanted.not_after.time_since_epoch().count()) ==
          nullptr) {
    return failed("serial or dates");
  }
  return ok();
}

Result<void> add_extension(X509* x509,
                           X509V3_CTX* context,
                           const std::string& name,
                           const std::string& value) {
  const ExtensionHandle extension(X509V3_EXT_nconf(nullptr, context, name.c_str(), value.c_str()));
  if (!extension || X509_add_ext(x509, extension.get(), -1) != 1) {
    return failed("extension " + name);
  }
  return ok();
}

Result<void> add_rehearsal_mark(X509* x509) {
  constexpr unsigned char kNull[] = {0x05, 0x00};
  const ObjectHandle object(OBJ_txt2obj(std::string(oid::kSignctlRehearsal).c_str(), 1));
  const OctetsHandle value(ASN1_OCTET_STRING_new());
  if (!object || !value || ASN1_OCTET_STRING_set(value.get(), kNull, sizeof kNull) != 1) {
    return failed("rehearsal mark");
  }
  const ExtensionHandle extension(
      X509_EXTENSION_create_by_OBJ(nullptr, object.get(), 0, value.get()));
  if (!extension || X509_add_ext(x509, extension.get(), -1) != 1) {
    return failed("rehearsal mark");
  }
  return ok();
}

Result<void> add_extensions(X509* x509, const CertificateTemplate& wanted, X509* issuer) {
  X509V3_CTX context{};
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, x509, nullptr, nullptr, 0);
  if (wanted.basic_constraints) {
    std::string value = wanted.ca ? "critical,CA:TRUE" : "critical,CA:FALSE";
    if (wanted.ca && wanted.path_length >= 0) {
      value += ",pathlen:" + std::to_string(wanted.path_length);
    }
    SIGNCTL_CHECK(add_extension(x509, &context, "basicConstraints", value), "");
  }
  if (!wanted.key_usage.empty()) {
    SIGNCTL_CHECK(add_extension(x509, &context, "keyUsage", wanted.key_usage), "");
  }
  if (!wanted.extended_key_usage.empty()) {
    SIGNCTL_CHECK(add_extension(x509, &context, "extendedKeyUsage", wanted.extended_key_usage), "");
  }
  SIGNCTL_CHECK(add_extension(x509, &context, "subjectKeyIdentifier", "hash"), "");
  SIGNCTL_CHECK(add_extension(x509, &context, "authorityKeyIdentifier", "keyid"), "");
  for (const auto& [name, value] : wanted.extra_extensions) {
    SIGNCTL_CHECK(add_extension(x509, &context, name, value), "");
  }
  return wanted.rehearsal ? add_rehearsal_mark(x509) : ok();
}

const EVP_MD* digest_for(DigestAlg alg) {
  switch (alg) {
    case DigestAlg::md5:
      return EVP_md5();
    case DigestAlg::sha1:
      return EVP_sha1();
    case DigestAlg::sha256:
      return EVP_sha256();
    case DigestAlg::sha384:
      return EVP_sha384();
    case DigestAlg::sha512:
      return EVP_sha512();
  }
  return EVP_sha256();
}

}  // namespace

Result<Certificate> issue_certificate(const CertificateTemplate& wanted,
                                      const PrivateKey& subject_key,
                                      const KeyBundle* issuer) {
  ERR_clear_error();
  const CertHandle x509(X509_new());
  if (!x509 || X509_set_version(x509.get(), X509_VERSION_3) != 1 ||
      X509_set_pubkey(x509.get(), subject_key.pkey()) != 1) {
    return failed("key");
  }
  SIGNCTL_CHECK(set_names(x509.get(), wanted, issuer), "");
  SIGNCTL_CHECK(set_serial_and_dates(x509.get(), wanted), "");
  X509* issuer_x509 = issuer == nullptr ? x509.get() : issuer->chain.front().x509();
  SIGNCTL_CHECK(add_extensions(x509.get(), wanted, issuer_x509), "");
  EVP_PKEY* signing_key = issuer == nullptr ? subject_key.pkey() : issuer->key.pkey();
  if (X509_sign(x509.get(), signing_key, digest_for(wanted.digest)) == 0) {
    return failed("signature");
  }
  unsigned char* encoded = nullptr;
  const int size = i2d_X509(x509.get(), &encoded);
  const MemoryHandle owner(encoded);
  if (size <= 0) {
    return failed("encoding");
  }
  return Certificate::parse(ByteView(encoded, static_cast<std::size_t>(size)));
}

}  // namespace signctl::crypto
