// SPDX-License-Identifier: Apache-2.0
#include "policy/tolerances.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

namespace signctl {

namespace {

using std::chrono::sys_days;
using std::chrono::year;

/// Until when Windows took what was weak already.
constexpr TimePoint kEndOfSha1 = sys_days{year{2020} / 1 / 1};
constexpr TimePoint kEndOfShortRsa = sys_days{year{2014} / 1 / 1};
constexpr int kShortestRsa = 1024;

bool is_of_signer(const About& about) {
  return about.signature != nullptr && !about.timestamp;
}

/// MD5 is refused on every system; SHA-1 only by the stricter ones.
bool has_sha1_digest(const About& about) {
  return is_of_signer(about) && about.signature->digest_alg == DigestAlg::sha1;
}

bool is_sha1_or_better(std::string_view name) {
  const auto alg = find_digest_alg(name);
  return alg && *alg != DigestAlg::md5;
}

bool has_sha1_timestamp(const About& about) {
  const auto& signature = about.signature;
  return about.timestamp && signature->timestamp &&
         is_sha1_or_better(signature->timestamp->digest) &&
         is_sha1_or_better(signature->timestamp->signer_digest);
}

/// Whether there are certificates of the finding's subject and `test` holds for each.
template <class Test>
bool all_certificates(const About& about, Test test) {
  const auto certificates = about.certificates();
  return !certificates.empty() &&
         std::all_of(certificates.begin(), certificates.end(), [&](const CertificateInfo* one) {
           return test(*one);
         });
}

bool has_old_sha1_certificate(const About& about) {
  return about.signing_time() < kEndOfSha1 &&
         all_certificates(about, [](const CertificateInfo& one) {
           return to_lower(one.signature_algorithm).find("sha1") != std::string::npos;
         });
}

/// The size in "RSA 1024"; empty for any other key.
std::optional<int> rsa_bits(std::string_view key) {
  static constexpr std::string_view kRsa = "RSA ";
  if (!key.starts_with(kRsa)) {
    return std::nullopt;
  }
  key.remove_prefix(kRsa.size());
  int bits = 0;
  const auto [end, failure] = std::from_chars(key.data(), key.data() + key.size(), bits);
  return failure == std::errc{} && end == key.data() + key.size() ? std::optional(bits)
                                                                  : std::nullopt;
}

bool has_old_short_rsa_key(const About& about) {
  return about.signing_time() < kEndOfShortRsa &&
         all_certificates(about, [](const CertificateInfo& one) {
           return rsa_bits(one.key).value_or(0) >= kShortestRsa;
         });
}

/// A CA without keyCertSign is no CA; only end entities get away with a wrong key usage.
bool is_of_leaf(const About& about) {
  const ChainInfo* const chain = about.chain();
  return chain != nullptr && all_certificates(about, [chain](const CertificateInfo& one) {
           return &one == chain->certificates.data();
         });
}

bool is_of_signer_leaf(const About& about) {
  return is_of_signer(about) && is_of_leaf(about);
}

constexpr std::array kTolerances{
    Tolerance{"pe-padding-not-zero", nullptr, "looked at only with EnableCertPaddingCheck"},
    Tolerance{"pe-padding-too-long", nullptr, "looked at only with EnableCertPaddingCheck"},
    Tolerance{"pe-table-coverage", nullptr, "bytes behind the last entry are not looked at"},
    Tolerance{"pe-entry-type", nullptr, "entries of other types are passed over"},
    Tolerance{"pe-entry-revision", nullptr, "the revision is not looked at"},
    Tolerance{"pe-multiple-entries", nullptr, "the first entry counts"},
    Tolerance{"pe-table-misaligned", nullptr, "the place of the table is not looked at"},
    Tolerance{"pe-page-hashes", nullptr, "page hashes are used by the kernel only"},
    Tolerance{"cms-version", is_of_signer, "SignedData of version 3 is read as well"},
    Tolerance{"cms-octet-string", is_of_signer, "SignedData of version 3 is read as well"},
    Tolerance{"nested-count", nullptr, "nested signatures are looked at only when asked for"},
    Tolerance{"unsigned-stuffing", nullptr, "what is not signed is not looked at"},
    Tolerance{"weak-digest", has_sha1_digest, "SHA-1 passes without the mark of the web"},
    Tolerance{"weak-certificate-digest", has_old_sha1_certificate, "SHA-1 was usual before 2020"},
    Tolerance{"weak-key", has_old_short_rsa_key, "RSA with 1024 bits was usual before 2014"},
    Tolerance{"eku-missing", is_of_signer_leaf, "a leaf without the extension is for everything"},
    Tolerance{"key-usage", is_of_leaf, "the key usage of end entities is not enforced"},
    Tolerance{"timestamp-eku-not-critical", nullptr, "whether it is critical is not looked at"},
    Tolerance{"timestamp-eku-not-alone", nullptr, "further purposes are not looked at"},
    Tolerance{"timestamp-certificate-binding", nullptr, "ESSCertID is not looked at"},
    Tolerance{"timestamp-accuracy", nullptr, "the accuracy is not looked at"},
    Tolerance{"timestamp-weak-digest", has_sha1_timestamp, "timestamps with SHA-1 pass"},
    Tolerance{"countersignature-bare-rsa", nullptr, "signatures without DigestInfo are read"},
};

}  // namespace

std::span<const Tolerance> windows_tolerances() {
  return kTolerances;
}

bool is_tolerated_by_windows(const Report& report, const Finding& finding) {
  // Windows judges the present only, ...
  if (finding.judgement == Judgement::after_expiry) {
    return true;
  }
  // ... and by itself the first signature only.
  const About about = find_subject(report, finding);
  if (about.signature != nullptr && about.signature->depth > 0) {
    return true;
  }
  return std::any_of(kTolerances.begin(), kTolerances.end(), [&](const Tolerance& row) {
    return row.id == finding.id && (row.applies == nullptr || row.applies(about));
  });
}

}  // namespace signctl
