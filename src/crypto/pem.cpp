// SPDX-License-Identifier: Apache-2.0
// Certificates in files: PEM blocks, bare DER, and PKCS #7 bundles in either form.
#include "crypto/pem.hpp"

#include "core/text.hpp"
#include "crypto/certificate.hpp"
#include "crypto/handles.hpp"

#include <string>
#include <string_view>
#include <utility>

#include <openssl/err.h>
#include <openssl/pkcs7.h>

namespace signctl::crypto {

namespace {

constexpr std::size_t kMaxBytes = 16U << 20U;
constexpr std::size_t kMaxCertificates = 10'000;

using Pkcs7Handle = Handle<PKCS7, PKCS7_free>;

Result<std::vector<Certificate>> read_pkcs7(ByteView der) {
  const unsigned char* at = der.data();
  const Pkcs7Handle bundle(d2i_PKCS7(nullptr, &at, static_cast<long>(der.size())));
  ERR_clear_error();
  std::vector<Certificate> certificates;
  if (!bundle || PKCS7_type_is_signed(bundle.get()) == 0 || bundle->d.sign == nullptr) {
    return certificates;
  }
  const STACK_OF(X509)* stack = bundle->d.sign->cert;
  for (int i = 0; i < sk_X509_num(stack); ++i) {
    unsigned char* encoded = nullptr;
    const int size = i2d_X509(sk_X509_value(stack, i), &encoded);
    const MemoryHandle owner(encoded);
    if (size > 0) {
      SIGNCTL_TRY(auto certificate,
                  Certificate::parse(ByteView(encoded, static_cast<std::size_t>(size))),
                  "");
      certificates.push_back(std::move(certificate));
    }
  }
  return certificates;
}

Result<std::vector<Certificate>> read_block(const PemBlock& block) {
  std::vector<Certificate> certificates;
  const bool is_certificate = block.label == "CERTIFICATE" || block.label == "X509 CERTIFICATE";
  const bool is_bundle = block.label == "PKCS7" || block.label == "CMS";
  if (!is_certificate && !is_bundle) {
    return certificates;
  }
  const auto der = from_base64(block.body);
  if (!der) {
    return Error{ErrorKind::input, "a PEM block is not base64"};
  }
  if (is_bundle) {
    return read_pkcs7(*der);
  }
  SIGNCTL_TRY(auto certificate, Certificate::parse(*der), "");
  certificates.push_back(std::move(certificate));
  return certificates;
}

}  // namespace

PemBlock next_pem_block(std::string_view& text) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  constexpr std::string_view kDashes = "-----";
  const std::size_t begin = text.find(kBegin);
  if (begin == std::string_view::npos) {
    return {};
  }
  text.remove_prefix(begin);
  const std::string_view from_begin = text;
  text.remove_prefix(kBegin.size());
  const std::size_t label_end = text.find(kDashes);
  if (label_end == std::string_view::npos) {
    return {};
  }
  PemBlock block{text.substr(0, label_end), {}, {}};
  text.remove_prefix(label_end + kDashes.size());
  const std::size_t end = text.find("-----END ");
  if (end == std::string_view::npos) {
    return {};
  }
  block.body = text.substr(0, end);
  text.remove_prefix(end);
  const std::size_t begin_to_end = from_begin.size() - text.size();
  const std::size_t close = from_begin.find(kDashes, begin_to_end + kDashes.size());
  block.full = from_begin.substr(0, close == from_begin.npos ? close : close + kDashes.size());
  return block;
}

Result<std::vector<Certificate>> read_certificates(ByteView pem_or_der) {
  if (pem_or_der.size() > kMaxBytes) {
    return Error{ErrorKind::input, "more than 16 MB of certificates"};
  }
  std::vector<Certificate> certificates;
  std::string_view text = as_text(pem_or_der);
  if (text.find("-----BEGIN ") == std::string_view::npos) {
    if (auto single = Certificate::parse(pem_or_der)) {
      certificates.push_back(std::move(*single));
      return certificates;
    }
    SIGNCTL_TRY(certificates, read_pkcs7(pem_or_der), "");
  }
  for (PemBlock block = next_pem_block(text); !block.label.empty(); block = next_pem_block(text)) {
    SIGNCTL_TRY(auto more, read_block(block), "");
    for (Certificate& certificate : more) {
      certificates.push_back(std::move(certificate));
    }
    if (certificates.size() > kMaxCertificates) {
      return Error{ErrorKind::input, "more than 10,000 certificates"};
    }
  }
  if (certificates.empty()) {
    return Error{ErrorKind::input, "no certificate found", "expected PEM, DER or a PKCS #7 bundle"};
  }
  return certificates;
}

std::string to_pem(const std::vector<Certificate>& certificates) {
  constexpr std::size_t kLine = 64;
  std::string out;
  for (const Certificate& certificate : certificates) {
    const std::string body = to_base64(certificate.der());
    out += "-----BEGIN CERTIFICATE-----\n";
    for (std::size_t at = 0; at < body.size(); at += kLine) {
      out += body.substr(at, kLine) + "\n";
    }
    out += "-----END CERTIFICATE-----\n";
  }
  return out;
}

}  // namespace signctl::crypto
