// SPDX-License-Identifier: Apache-2.0
#include "formats/nuget/signers.hpp"

#include "cms/cades.hpp"
#include "cms/signed_data.hpp"
#include "cms/signer_checks.hpp"
#include "core/text.hpp"
#include "crypto/certificate.hpp"
#include "crypto/der.hpp"
#include "crypto/oids.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace signctl::nuget {
namespace {

constexpr int kLeastRsaBits = 2048;
constexpr std::array<std::string_view, 3> kCertificateAlgorithms{
    "sha256WithRSAEncryption", "sha384WithRSAEncryption", "sha512WithRSAEncryption"};

Error wrong(std::string message) {
  return {ErrorKind::input, std::move(message)};
}

/// NuGetV3ServiceIndexUrl ::= IA5String, an absolute https URL.
Result<std::string> read_service_index(const cms::SignerInfo& signer) {
  SIGNCTL_TRY(const der::Tlv value,
              cms::single_signed_value(signer, oid::kNugetServiceIndexUrl, der::kIa5String),
              "");
  const std::string url = printable(as_text(value.content));
  constexpr std::string_view kScheme = "https://";
  if (!to_lower(url).starts_with(kScheme) || url.size() == kScheme.size()) {
    return wrong("the service index of the repository is no https URL: " + url);
  }
  return url;
}

/// NuGetPackageOwners ::= SEQUENCE SIZE (1..MAX) OF UTF8String (SIZE (1..MAX))
Result<std::vector<std::string>> read_owners(const cms::SignerInfo& signer) {
  std::vector<std::string> owners;
  if (signer.find_signed(oid::kNugetPackageOwners).empty()) {
    return owners;
  }
  SIGNCTL_TRY(const der::Tlv list,
              cms::single_signed_value(signer, oid::kNugetPackageOwners, der::kSequence),
              "");
  der::Parser parser(list.content);
  while (!parser.at_end()) {
    SIGNCTL_TRY(const der::Tlv owner, parser.expect(der::kUtf8String, "package owner"), "");
    const std::string_view name = as_text(owner.content);
    if (name.find_first_not_of(" \t\r\n") == std::string_view::npos) {
      return wrong("the list of package owners has one without a name");
    }
    owners.push_back(printable(name));
  }
  if (owners.empty()) {
    return wrong("the list of package owners is empty");
  }
  return owners;
}

/// The one role among the commitments; those that NuGet does not know are passed over.
Result<Role> read_role(const cms::SignerInfo& signer) {
  SIGNCTL_TRY(const auto types, cms::read_commitment_types(signer), "");
  const auto says = [&types](std::string_view oid) {
    return std::find(types.begin(), types.end(), oid) != types.end();
  };
  const bool author = says(oid::kProofOfOrigin);
  const bool repository = says(oid::kProofOfReceipt);
  if (author && repository) {
    return wrong("the signature claims to be the author's and a repository's at once");
  }
  if (!author && !repository) {
    return Role::unknown;
  }
  return author ? Role::author : Role::repository;
}

class Reader {
 public:
  explicit Reader(std::vector<Finding>& findings) : findings_(findings) {}

  SignerFacts read(const cms::SignerInfo& signer, const std::string& label) {
    SignerFacts facts;
    const auto role = read_role(signer);
    if (!role) {
      object("nuget-signature-type", label, role.error().message);
      return facts;
    }
    facts.role = *role;
    if (facts.role == Role::unknown) {
      object("nuget-signature-type",
             label,
             "the signature is neither the author's nor a repository's: no commitment to proof of "
             "origin or of receipt");
    }
    if (facts.role != Role::repository) {
      return facts;
    }
    auto url = read_service_index(signer);
    auto owners = read_owners(signer);
    if (!url) {
      object("nuget-repository", label, url.error().message);
    } else {
      facts.service_index_url = std::move(*url);
    }
    if (!owners) {
      object("nuget-repository", label, owners.error().message);
    } else {
      facts.owners = std::move(*owners);
    }
    return facts;
  }

  void object(std::string id, const std::string& label, std::string message) {
    findings_.push_back({std::move(id), Severity::error, label, std::move(message)});
  }

 private:
  std::vector<Finding>& findings_;
};

std::vector<Bytes> countersignatures_of(const cms::SignerInfo& signer) {
  std::vector<Bytes> values;
  for (const cms::Attribute* attribute : signer.find_unsigned(oid::kCounterSignature)) {
    values.insert(values.end(), attribute->values.begin(), attribute->values.end());
  }
  return values;
}

}  // namespace

Signers read_signers(ByteView cms, const std::string& label) {
  Signers signers;
  const auto data = cms::parse_signed_data(cms);
  if (!data) {
    return signers;
  }
  Reader reader(signers.findings);
  signers.primary = reader.read(data->signers.front(), label);
  const auto values = countersignatures_of(data->signers.front());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string own = label + "." + std::to_string(i + 1);
    const auto counter = cms::parse_signer_info(values[i]);
    if (!counter) {
      continue;
    }
    const SignerFacts facts = reader.read(*counter, own);
    if (facts.role == Role::author) {
      reader.object(
          "nuget-signature-type", own, "an author's signature stands beside another signature");
    }
    signers.beside.push_back(facts);
  }
  const bool received = signers.primary.role == Role::repository;
  if (signers.beside.size() > (received ? 0U : 1U)) {
    reader.object("nuget-signature-type",
                  label,
                  received ? "a repository's signature has another beside it"
                           : "more than one repository has signed beside the author");
  }
  return signers;
}

Result<std::vector<Finding>> check_certificate(ByteView leaf_der) {
  SIGNCTL_TRY(
      const auto leaf, crypto::Certificate::parse(leaf_der), "reading the signing certificate");
  std::vector<Finding> findings;
  const auto object = [&findings, &leaf](const std::string& message, std::string hint) {
    findings.push_back(
        {"nuget-certificate",
         Severity::error,
         "",
         "NuGet does not accept the certificate of " + leaf.info().subject + ": " + message,
         Judgement::now,
         std::move(hint)});
  };
  const crypto::KeyFacts& key = leaf.key();
  if (key.type != crypto::KeyType::rsa || key.bits < kLeastRsaBits) {
    object("its key is " + leaf.info().key + ", not RSA with 2048 bits or more",
           "sign with an RSA certificate");
  }
  const std::string& algorithm = leaf.info().signature_algorithm;
  if (std::find(kCertificateAlgorithms.begin(), kCertificateAlgorithms.end(), algorithm) ==
      kCertificateAlgorithms.end()) {
    object("it is itself signed with " + algorithm + ", not RSA with SHA-2",
           "sign with another certificate");
  }
  if (leaf.has_eku(oid::kLifetimeSigning)) {
    object("it is for lifetime signing", "sign with another certificate");
  }
  if (!leaf.has_eku(oid::kCodeSigning)) {
    object("it is not for code signing", "sign with a code signing certificate");
  }
  return findings;
}

}  // namespace signctl::nuget
