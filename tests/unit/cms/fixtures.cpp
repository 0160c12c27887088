// SPDX-License-Identifier: Apache-2.0
#include "fixtures.hpp"

#include "core/byte_reader.hpp"
#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/issue.hpp"
#include "crypto/oids.hpp"
#include "support/must.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>
#include <stdexcept>

#include <openssl/x509.h>

namespace signctl::test {
namespace {

using crypto::KeyBundle;
using crypto::PrivateKey;

crypto::CertificateTemplate names(const std::string& common_name) {
  crypto::CertificateTemplate wanted;
  wanted.subject = {{"CN", common_name}};
  wanted.not_before = TimePoint(std::chrono::seconds(1'577'836'800));  // 2020
  wanted.not_after = TimePoint(std::chrono::seconds(2'208'988'800));   // 2040
  wanted.rehearsal = false;
  return wanted;
}

KeyBundle make_ca(const std::string& common_name, const KeyBundle* issuer) {
  const PrivateKey key = must(PrivateKey::generate(PrivateKey::Spec::p256));
  auto wanted = names(common_name);
  wanted.ca = true;
  wanted.key_usage = "critical,keyCertSign,cRLSign";
  std::vector<crypto::Certificate> chain{must(crypto::issue_certificate(wanted, key, issuer))};
  if (issuer != nullptr) {
    chain.insert(chain.end(), issuer->chain.begin(), issuer->chain.end());
  }
  return {key, chain};
}

KeyBundle make_leaf(const std::string& common_name,
                    const std::string& extended_key_usage,
                    const PrivateKey& key,
                    const KeyBundle& issuer) {
  auto wanted = names(common_name);
  wanted.key_usage = "critical,digitalSignature";
  wanted.extended_key_usage = extended_key_usage;
  std::vector<crypto::Certificate> chain{must(crypto::issue_certificate(wanted, key, &issuer))};
  chain.insert(chain.end(), issuer.chain.begin(), issuer.chain.end());
  return {key, chain};
}

const KeyBundle& intermediate() {
  static const KeyBundle root = make_ca("Test Root", nullptr);
  static const KeyBundle made = make_ca("Test Code Signing CA", &root);
  return made;
}

const KeyBundle& authority_root() {
  static const KeyBundle made = make_ca("Test Timestamp Root", nullptr);
  return made;
}

}  // namespace

const KeyBundle& rsa_signer() {
  static const KeyBundle made = make_leaf("Test RSA Signer",
                                          "codeSigning",
                                          must(PrivateKey::generate(PrivateKey::Spec::rsa2048)),
                                          intermediate());
  return made;
}

const KeyBundle& ec_signer() {
  static const KeyBundle made = make_leaf("Test EC Signer",
                                          "codeSigning",
                                          must(PrivateKey::generate(PrivateKey::Spec::p256)),
                                          intermediate());
  return made;
}

const KeyBundle& authority() {
  static const KeyBundle made = make_leaf("Test Timestamp Authority",
                                          "critical,timeStamping",
                                          must(PrivateKey::generate(PrivateKey::Spec::rsa2048)),
                                          authority_root());
  return made;
}

KeyBundle authority_with_eku(const std::string& extended_key_usage) {
  return make_leaf(
      "Odd Timestamp Authority", extended_key_usage, authority().key, authority_root());
}

crypto::Certificate twin_of(const crypto::Certificate& original, const PrivateKey& key) {
  X509* copy = X509_dup(original.x509());
  X509_set_pubkey(copy, key.pkey());
  X509_sign(copy, intermediate().key.pkey(), EVP_sha256());
  unsigned char* encoded = nullptr;
  const int size = i2d_X509(copy, &encoded);
  const Bytes der(encoded, encoded + size);
  OPENSSL_free(encoded);
  X509_free(copy);
  return must(crypto::Certificate::parse(der));
}

Bytes indirect_data() {
  const Bytes value = from_hex("3009030100a004a2028000").value();
  const Bytes type = der::sequence({der::oid(oid::kSpcPeImageData), value});
  const Bytes digest = crypto::hash(DigestAlg::sha256, as_bytes("the file"));
  return der::sequence({type,
                        der::sequence({der::algorithm_with_null(oid::of(DigestAlg::sha256)),
                                       der::octet_string(digest)})});
}

std::string ids(const std::vector<Finding>& findings) {
  std::set<std::string> unique;
  for (const auto& finding : findings) {
    unique.insert(finding.id);
  }
  const std::vector<std::string> sorted(unique.begin(), unique.end());
  return join(sorted, " ");
}

std::string describe(const std::vector<Finding>& findings) {
  std::string text;
  for (const auto& finding : findings) {
    text += finding.id + ": " + finding.message + "\n";
  }
  return text;
}

std::size_t offset_of(const Bytes& haystack, const Bytes& needle) {
  const auto found = std::search(haystack.begin(), haystack.end(), needle.begin(), needle.end());
  if (found == haystack.end()) {
    throw std::runtime_error("bytes not found: " + to_hex(needle));
  }
  return static_cast<std::size_t>(found - haystack.begin());
}

std::vector<Bytes> certificate_table(const Bytes& image) {
  const ByteReader reader(image);
  const std::uint32_t header = reader.u32(0x3C).value();
  const bool plus = reader.u16(header + 24).value() == 0x20B;
  const std::uint32_t directory = header + 24 + (plus ? 112 : 96) + 4 * 8;
  std::uint64_t at = reader.u32(directory).value();
  const std::uint64_t end = at + reader.u32(directory + 4).value();
  std::vector<Bytes> found;
  while (at + 8 < end) {
    const std::uint32_t size = reader.u32(at).value();
    const ByteView entry = reader.slice(at + 8, size - 8).value();
    der::Parser parser(entry);
    const der::Tlv cms = must(parser.expect(der::kSequence, "CMS"));
    found.emplace_back(cms.full.begin(), cms.full.end());
    at += (size + 7U) & ~7U;
  }
  return found;
}

ShellResult shell(const std::string& command) {
  ShellResult result;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) {
    throw std::runtime_error("cannot run " + command);
  }
  std::array<char, 4096> buffer{};
  std::size_t count = 0;
  while ((count = fread(buffer.data(), 1, buffer.size(), pipe)) > 0) {
    result.output.append(buffer.data(), count);
  }
  result.status = pclose(pipe);
  return result;
}

}  // namespace signctl::test
