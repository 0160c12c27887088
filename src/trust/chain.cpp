// SPDX-License-Identifier: Apache-2.0
#include "trust/chain.hpp"

#include "core/equal.hpp"
#include "core/text.hpp"
#include "crypto/path_rules.hpp"
#include "trust/path.hpp"

#include <algorithm>
#include <utility>

#include <openssl/x509_vfy.h>

namespace signctl::trust {

namespace {

constexpr std::size_t kMaxAnchors = 64;

using crypto::Certificate;

/// Anchors that any path through the pool could end at.
Result<std::vector<Anchor>> candidate_anchors(const ChainRequest& request,
                                              const TrustStore& store) {
  std::vector<ByteView> names{request.leaf.issuer_der()};
  const auto add = [&names](ByteView name) {
    if (std::none_of(names.begin(), names.end(), [&](ByteView one) { return equal(one, name); })) {
      names.push_back(name);
    }
  };
  add(request.leaf.subject_der());
  for (const Certificate& certificate :
       request.pool.first(std::min(request.pool.size(), kMaxPool))) {
    add(certificate.issuer_der());
    add(certificate.subject_der());
  }
  std::vector<Anchor> anchors;
  for (const ByteView name : names) {
    SIGNCTL_TRY(auto found, store.anchors_named(name, request.purpose), "");
    for (Anchor& anchor : found) {
      const auto same = [&](const Anchor& one) { return one.certificate == anchor.certificate; };
      if (anchors.size() < kMaxAnchors && std::none_of(anchors.begin(), anchors.end(), same)) {
        anchors.push_back(std::move(anchor));
      }
    }
  }
  return anchors;
}

std::string id_of(int code) {
  switch (code) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "chain-incomplete";
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD:
      return "certificate-not-yet-valid";
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD:
      return "certificate-expired";
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY:
      return "certificate-signature";
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_INVALID_NON_CA:
      return "basic-constraints";
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
      return "path-length";
    case X509_V_ERR_PERMITTED_VIOLATION:
    case X509_V_ERR_EXCLUDED_VIOLATION:
    case X509_V_ERR_SUBTREE_MINMAX:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX:
    case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
      return "name-constraints";
    case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
      return "critical-extension";
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
      return "key-usage";
    default:
      return "chain-untrusted";
  }
}

std::string sentence(const std::string& id,
                     int code,
                     const Certificate& certificate,
                     TimePoint at) {
  if (id == "certificate-expired") {
    return "expired on " + to_iso8601(certificate.not_after()) + ", judged at " + to_iso8601(at);
  }
  if (id == "certificate-not-yet-valid") {
    return "not valid before " + to_iso8601(certificate.not_before()) + ", judged at " +
           to_iso8601(at);
  }
  if (id == "chain-incomplete") {
    return "its issuer \"" + certificate.info().issuer +
           "\" is neither embedded nor a trust anchor";
  }
  if (code == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT) {
    return "self-signed, and not a trust anchor";
  }
  if (code == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN) {
    return "the root of the chain is not a trust anchor";
  }
  return X509_verify_cert_error_string(code);
}

void add_once(std::vector<Finding>& findings, Finding finding) {
  const auto same = [&](const Finding& one) {
    return one.id == finding.id && one.subject == finding.subject;
  };
  if (std::none_of(findings.begin(), findings.end(), same)) {
    findings.push_back(std::move(finding));
  }
}

/// The leaf's validity at a time of its own (lifetime signing).
void check_leaf_at(const Certificate& leaf, TimePoint at, std::vector<Finding>& findings) {
  if (at > leaf.not_after()) {
    findings.push_back({"certificate-expired",
                        Severity::error,
                        crypto::subject_of(leaf),
                        sentence("certificate-expired", 0, leaf, at)});
  } else if (at < leaf.not_before()) {
    findings.push_back({"certificate-not-yet-valid",
                        Severity::error,
                        crypto::subject_of(leaf),
                        sentence("certificate-not-yet-valid", 0, leaf, at)});
  }
}

const Anchor* anchor_of(const Certificate& certificate, const std::vector<Anchor>& anchors) {
  const auto found = std::find_if(anchors.begin(), anchors.end(), [&](const Anchor& anchor) {
    return anchor.certificate == certificate.der();
  });
  return found == anchors.end() ? nullptr : &*found;
}

}  // namespace

Chain build_chain(const ChainRequest& request, const TrustStore& store) {
  Chain chain;
  auto anchors = candidate_anchors(request, store);
  if (!anchors) {
    chain.certificates.push_back(request.leaf);
    chain.findings.push_back({"chain-untrusted",
                              Severity::error,
                              crypto::subject_of(request.leaf),
                              "trust anchors could not be read: " + anchors.error().message});
    return chain;
  }
  std::vector<Certificate> parsed;
  for (const Anchor& anchor : *anchors) {
    if (auto certificate = Certificate::parse(anchor.certificate)) {
      parsed.push_back(std::move(*certificate));
    }
  }
  Path found = find_path(request, parsed);
  chain.certificates = std::move(found.certificates);
  if (chain.certificates.empty()) {
    chain.certificates.push_back(request.leaf);
  }
  if (const Anchor* anchor = anchor_of(chain.certificates.back(), *anchors)) {
    chain.anchor = *anchor;
  }
  for (const Objection& objection : found.objections) {
    const auto depth = static_cast<std::size_t>(std::max(objection.depth, 0));
    const Certificate& about = chain.certificates[std::min(depth, chain.certificates.size() - 1)];
    const std::string id = id_of(objection.code);
    add_once(chain.findings,
             {id,
              Severity::error,
              crypto::subject_of(about),
              sentence(id, objection.code, about, request.at)});
  }
  if (request.leaf_at) {
    check_leaf_at(request.leaf, *request.leaf_at, chain.findings);
  }
  for (Finding& finding : crypto::check_path(chain.certificates, request.purpose)) {
    add_once(chain.findings, std::move(finding));
  }
  if (!chain.anchor && chain.findings.empty()) {
    chain.findings.push_back({"chain-untrusted",
                              Severity::error,
                              crypto::subject_of(chain.certificates.back()),
                              "the chain does not end at a trust anchor"});
  }
  return chain;
}

ChainInfo describe(const Chain& chain) {
  ChainInfo info;
  for (const Certificate& certificate : chain.certificates) {
    info.certificates.push_back(certificate.info());
  }
  info.trusted = chain.anchor.has_value() && chain.findings.empty();
  if (chain.anchor) {
    info.anchor_source = chain.anchor->source;
  }
  return info;
}

}  // namespace signctl::trust
