// SPDX-License-Identifier: Apache-2.0
#include "crypto/certificate.hpp"

#include "core/text.hpp"
#include "crypto/der.hpp"
#include "crypto/digest.hpp"
#include "crypto/handles.hpp"
#include "crypto/key_facts.hpp"
#include "crypto/library.hpp"
#include "crypto/name_text.hpp"
#include "crypto/oids.hpp"
#include "crypto/openssl_error.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include <openssl/err.h>

namespace signctl::crypto {

struct Certificate::Parsed {
  Bytes der;
  CertHandle x509;
  Bytes subject;
  Bytes issuer;
  Bytes serial;
  CertificateInfo info;
  KeyFacts key;
  std::optional<KeyUsage> key_usage;
  bool eku_critical{false};
  bool ca{false};
  bool rehearsal{false};
  std::optional<DigestAlg> signature_digest;
};

namespace {

Bytes copy(ByteView view) {
  return {view.begin(), view.end()};
}

/// Names and serial exactly as encoded (RFC 5280, 4.1): re-encoding could change string types.
struct TbsFields {
  Bytes subject;
  Bytes issuer;
  Bytes serial;
  std::int64_t not_before{};
  std::int64_t not_after{};
};

Result<TbsFields> read_tbs(ByteView der) {
  constexpr std::string_view kWhat = "certificate";
  SIGNCTL_TRY(const der::Tlv outer, der::parse_whole(der, der::kSequence, kWhat), "");
  der::Parser certificate(outer.content);
  SIGNCTL_TRY(const der::Tlv body, certificate.expect(der::kSequence, kWhat), "");
  der::Parser tbs(body.content);
  SIGNCTL_TRY([[maybe_unused]] const auto version, tbs.optional(der::context(0), kWhat), "");
  TbsFields fields;
  SIGNCTL_TRY(const der::Tlv serial, tbs.expect(der::kInteger, "certificate serial"), "");
  SIGNCTL_TRY([[maybe_unused]] const der::Tlv algorithm, tbs.expect(der::kSequence, kWhat), "");
  SIGNCTL_TRY(const der::Tlv issuer, tbs.expect(der::kSequence, "certificate issuer"), "");
  SIGNCTL_TRY(const der::Tlv validity, tbs.expect(der::kSequence, "certificate validity"), "");
  SIGNCTL_TRY(const der::Tlv subject, tbs.expect(der::kSequence, "certificate subject"), "");
  der::Parser times(validity.content);
  SIGNCTL_TRY(const der::Tlv before, times.next("notBefore"), "");
  SIGNCTL_TRY(const der::Tlv after, times.next("notAfter"), "");
  SIGNCTL_TRY(fields.not_before, der::read_time(before, "notBefore"), "");
  SIGNCTL_TRY(fields.not_after, der::read_time(after, "notAfter"), "");
  fields.subject = copy(subject.full);
  fields.issuer = copy(issuer.full);
  fields.serial = copy(serial.full);
  return fields;
}

std::optional<KeyUsage> read_key_usage(X509* x509) {
  if ((X509_get_extension_flags(x509) & EXFLAG_KUSAGE) == 0) {
    return std::nullopt;
  }
  const std::uint32_t bits = X509_get_key_usage(x509);
  return KeyUsage{(bits & KU_DIGITAL_SIGNATURE) != 0,
                  (bits & KU_KEY_CERT_SIGN) != 0,
                  (bits & KU_CRL_SIGN) != 0};
}

std::optional<std::vector<std::string>> read_eku(X509* x509, bool& critical) {
  const int index = X509_get_ext_by_NID(x509, NID_ext_key_usage, -1);
  if (index < 0) {
    return std::nullopt;
  }
  X509_EXTENSION* extension = X509_get_ext(x509, index);
  critical = X509_EXTENSION_get_critical(extension) == 1;
  const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(extension);
  const ByteView view(ASN1_STRING_get0_data(value),
                      static_cast<std::size_t>(ASN1_STRING_length(value)));
  std::vector<std::string> purposes;
  // An extension that cannot be read grants nothing.
  if (const auto sequence = der::parse_whole(view, der::kSequence, "extended key usage")) {
    for (der::Parser parser(sequence->content); !parser.at_end();) {
      auto purpose = parser.oid("extended key usage");
      if (!purpose) {
        return std::vector<std::string>{};
      }
      purposes.push_back(std::move(*purpose));
    }
  }
  return purposes;
}

bool has_rehearsal_mark(X509* x509) {
  static const Bytes mark = der::oid(oid::kSignctlRehearsal);
  for (int i = 0; i < X509_get_ext_count(x509); ++i) {
    const ASN1_OBJECT* object = X509_EXTENSION_get_object(X509_get_ext(x509, i));
    const ByteView octets(OBJ_get0_data(object), OBJ_length(object));
    if (std::equal(octets.begin(), octets.end(), mark.begin() + 2, mark.end())) {
      return true;
    }
  }
  return false;
}

std::optional<DigestAlg> digest_of_nid(int nid) {
  switch (nid) {
    case NID_md5:
      return DigestAlg::md5;
    case NID_sha1:
      return DigestAlg::sha1;
    case NID_sha256:
      return DigestAlg::sha256;
    case NID_sha384:
      return DigestAlg::sha384;
    case NID_sha512:
      return DigestAlg::sha512;
    default:
      return std::nullopt;
  }
}

std::string signature_algorithm_name(X509* x509) {
  const int nid = X509_get_signature_nid(x509);
  const char* name = nid == NID_undef ? nullptr : OBJ_nid2ln(nid);
  return name == nullptr ? "unknown" : name;
}

}  // namespace

Certificate::Certificate(std::shared_ptr<const Parsed> parsed) : parsed_(std::move(parsed)) {}

Result<std::shared_ptr<const Certificate::Parsed>> Certificate::decode(ByteView der,
                                                                       const Bytes& sha256) {
  SIGNCTL_TRY(TbsFields fields, read_tbs(der), "");
  auto parsed = std::make_shared<Parsed>();
  parsed->der = copy(der);
  const unsigned char* at = parsed->der.data();
  parsed->x509.reset(d2i_X509(nullptr, &at, static_cast<long>(parsed->der.size())));
  if (!parsed->x509 || at != parsed->der.data() + parsed->der.size()) {
    return openssl_error(ErrorKind::input, "not an X.509 certificate");
  }
  X509* x509 = parsed->x509.get();
  // Fills OpenSSL's cache of extensions now, because certificates are shared between threads.
  X509_check_purpose(x509, -1, 0);
  parsed->subject = std::move(fields.subject);
  parsed->issuer = std::move(fields.issuer);
  parsed->serial = std::move(fields.serial);
  parsed->key = facts_of(X509_get0_pubkey(x509), x509);
  parsed->key_usage = read_key_usage(x509);
  parsed->ca = (X509_get_extension_flags(x509) & EXFLAG_CA) != 0;
  parsed->rehearsal = has_rehearsal_mark(x509);
  int digest = NID_undef;
  X509_get_signature_info(x509, &digest, nullptr, nullptr, nullptr);
  parsed->signature_digest = digest_of_nid(digest);

  CertificateInfo& info = parsed->info;
  info.subject = name_text(parsed->subject);
  info.issuer = name_text(parsed->issuer);
  info.subject_attributes = name_attributes(parsed->subject);
  info.serial_hex = to_hex(ByteView(parsed->serial).subspan(parsed->serial.size() > 2 ? 2 : 0));
  info.sha1_hex = to_hex(hash(DigestAlg::sha1, parsed->der));
  info.sha256_hex = to_hex(sha256);
  info.not_before = TimePoint(std::chrono::seconds(fields.not_before));
  info.not_after = TimePoint(std::chrono::seconds(fields.not_after));
  info.key = describe(parsed->key);
  info.signature_algorithm = signature_algorithm_name(x509);
  info.extended_key_usage = read_eku(x509, parsed->eku_critical);
  info.rehearsal = parsed->rehearsal;
  info.self_signed =
      parsed->subject == parsed->issuer && X509_verify(x509, X509_get0_pubkey(x509)) == 1;
  ERR_clear_error();
  return std::shared_ptr<const Parsed>(std::move(parsed));
}

/// Certificates that have been decoded lately, by their SHA-256. One run meets the same few over
/// and over: as the provider's, inside the signature, in the chain. Decoding a public key is what
/// OpenSSL is slowest at.
class Certificate::Cache {
 public:
  std::shared_ptr<const Parsed> find(const Bytes& sha256) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(as_text(sha256));
    return found == entries_.end() ? nullptr : found->second;
  }

  void add(const Bytes& sha256, const std::shared_ptr<const Parsed>& parsed) {
    constexpr std::size_t kMaxEntries = 128;
    const std::lock_guard lock(mutex_);
    if (entries_.size() >= kMaxEntries) {
      entries_.clear();
    }
    entries_.emplace(as_text(sha256), parsed);
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Parsed>, std::less<>> entries_;
};

Result<Certificate> Certificate::parse(ByteView der) {
  // Never destroyed: OpenSSL's own clean-up at exit comes at a time of its choosing.
  static auto& cache = *new Cache;  // NOLINT(cppcoreguidelines-owning-memory): as said above
  start_library();
  const Bytes sha256 = hash(DigestAlg::sha256, der);
  auto parsed = cache.find(sha256);
  if (!parsed) {
    SIGNCTL_TRY(parsed, decode(der, sha256), "");
    cache.add(sha256, parsed);
  }
  return Certificate(std::move(parsed));
}

const Bytes& Certificate::der() const {
  return parsed_->der;
}
ByteView Certificate::subject_der() const {
  return parsed_->subject;
}
ByteView Certificate::issuer_der() const {
  return parsed_->issuer;
}
ByteView Certificate::serial_der() const {
  return parsed_->serial;
}
const CertificateInfo& Certificate::info() const {
  return parsed_->info;
}
const KeyFacts& Certificate::key() const {
  return parsed_->key;
}
TimePoint Certificate::not_before() const {
  return parsed_->info.not_before;
}
TimePoint Certificate::not_after() const {
  return parsed_->info.not_after;
}
std::optional<KeyUsage> Certificate::key_usage() const {
  return parsed_->key_usage;
}
const std::optional<std::vector<std::string>>& Certificate::extended_key_usage() const {
  return parsed_->info.extended_key_usage;
}
bool Certificate::extended_key_usage_critical() const {
  return parsed_->eku_critical;
}
bool Certificate::has_eku(std::string_view dotted) const {
  const auto& purposes = parsed_->info.extended_key_usage;
  return purposes && std::find(purposes->begin(), purposes->end(), dotted) != purposes->end();
}
bool Certificate::is_ca() const {
  return parsed_->ca;
}
bool Certificate::self_issued() const {
  return parsed_->subject == parsed_->issuer;
}
bool Certificate::is_rehearsal() const {
  return parsed_->rehearsal;
}
std::optional<DigestAlg> Certificate::signature_digest() const {
  return parsed_->signature_digest;
}
x509_st* Certificate::x509() const {
  return parsed_->x509.get();
}

bool Certificate::signed_by(const Certificate& issuer) const {
  // Keys of a kind that no path may have are not worth the time that some take.
  EVP_PKEY* key = X509_get0_pubkey(issuer.x509());
  const bool good =
      key != nullptr && issuer.key().type != KeyType::other && X509_verify(x509(), key) == 1;
  ERR_clear_error();
  return good;
}

std::vector<Certificate> order_chain(const Certificate& leaf,
                                     const std::vector<Certificate>& pool) {
  constexpr std::size_t kMaxLength = 16;
  std::vector<Certificate> chain{leaf};
  const auto issued = [&chain](const Certificate& candidate, const Certificate& child) {
    const ByteView wanted = child.issuer_der();
    const ByteView name = candidate.subject_der();
    return std::equal(name.begin(), name.end(), wanted.begin(), wanted.end()) &&
           !candidate.self_issued() &&
           std::find(chain.begin(), chain.end(), candidate) == chain.end() &&
           child.signed_by(candidate);
  };
  // Who verifies may trust either issuer of a cross-signed authority.
  for (std::size_t i = 0; i < chain.size() && !chain[i].self_issued(); ++i) {
    const Certificate child = chain[i];
    for (const Certificate& candidate : pool) {
      if (chain.size() < kMaxLength && issued(candidate, child)) {
        chain.push_back(candidate);
      }
    }
  }
  return chain;
}

}  // namespace signctl::crypto
