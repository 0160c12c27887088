// SPDX-License-Identifier: Apache-2.0
#include "trust/chain.hpp"

#include "core/text.hpp"
#include "crypto/handles.hpp"
#include "crypto/path_rules.hpp"

#include <algorithm>
#include <utility>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

namespace signctl::trust {

namespace {

// Hostile files may carry any number of certificates; real chains have three or four.
constexpr std::size_t kMaxPool = 64;
constexpr std::size_t kMaxAnchors = 64;
constexpr int kMaxDepth = 10;

using crypto::Certificate;
using crypto::CertStack;

bool equal(ByteView a, ByteView b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

/// What OpenSSL objected to, and where.
struct Objection {
  int code{};
  int depth{};
};

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

/// Writes every objection down and lets validation go on, so that all of them are reported.
int collect(int good, X509_STORE_CTX* context) {
  if (good == 0) {
    auto* objections = static_cast<std::vector<Objection>*>(X509_STORE_CTX_get_app_data(context));
    objections->push_back(
        {X509_STORE_CTX_get_error(context), X509_STORE_CTX_get_error_depth(context)});
    X509_STORE_CTX_set_error(context, X509_V_OK);
  }
  return 1;
}

/// What validation found: the path it took, and what it objected to.
struct Validation {
  std::vector<Certificate> path;
  std::vector<Objection> objections;
};

CertStack untrusted_stack(std::span<const Certificate> pool) {
  CertStack stack(sk_X509_new_null());
  for (const Certificate& certificate : pool.first(std::min(pool.size(), kMaxPool))) {
    if (X509_up_ref(certificate.x509()) == 1 &&
        sk_X509_push(stack.get(), certificate.x509()) == 0) {
      break;
    }
  }
  return stack;
}

Validation validate(const ChainRequest& request, const std::vector<Certificate>& anchors) {
  Validation result;
  const crypto::StoreHandle store(X509_STORE_new());
  for (const Certificate& anchor : anchors) {
    X509_STORE_add_cert(store.get(), anchor.x509());
  }
  const CertStack untrusted = untrusted_stack(request.pool);
  const crypto::StoreContext context(X509_STORE_CTX_new());
  if (!store || !untrusted || !context ||
      X509_STORE_CTX_init(context.get(), store.get(), request.leaf.x509(), untrusted.get()) != 1) {
    ERR_clear_error();
    result.objections.push_back({X509_V_ERR_UNSPECIFIED, 0});
    return result;
  }
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(rules, request.at.time_since_epoch().count());
  X509_VERIFY_PARAM_set_depth(rules, kMaxDepth);
  X509_VERIFY_PARAM_set_auth_level(rules, 0);  // Strength is judged by crypto::check_path().
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
  X509_STORE_CTX_set_app_data(context.get(), &result.objections);
  X509_STORE_CTX_set_verify_cb(context.get(), collect);
  if (X509_verify_cert(context.get()) <= 0 && result.objections.empty()) {
    result.objections.push_back({X509_V_ERR_UNSPECIFIED, 0});
  }
  const STACK_OF(X509)* chain = X509_STORE_CTX_get0_chain(context.get());
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    unsigned char* encoded = nullptr;
    const int size = i2d_X509(sk_X509_value(chain, i), &encoded);
    const crypto::MemoryHandle owner(encoded);
    auto certificate = size > 0
                           ? Certificate::parse(ByteView(encoded, static_cast<std::size_t>(size)))
                           : Result<Certificate>(Error{ErrorKind::internal, "no encoding"});
    if (!certificate) {
      break;
    }
    result.path.push_back(std::move(*certificate));
  }
  ERR_clear_error();
  return result;
}

/// Those of the pool from which issuers' names lead to an anchor. OpenSSL does not go back to try
/// another certificate of the same name, so dead ends (cross-signed CAs) are taken out before.
std::vector<Certificate> leading_to(const std::vector<Certificate>& anchors,
                                    std::span<const Certificate> pool) {
  std::vector<Certificate> reached = anchors;
  std::vector<Certificate> kept;
  std::vector<Certificate> waiting(
      pool.begin(), pool.begin() + static_cast<std::ptrdiff_t>(std::min(pool.size(), kMaxPool)));
  for (bool grown = true; grown;) {
    grown = false;
    for (auto one = waiting.begin(); one != waiting.end();) {
      const bool leads = std::any_of(reached.begin(), reached.end(), [&](const Certificate& up) {
        return equal(up.subject_der(), one->issuer_der());
      });
      if (!leads) {
        ++one;
        continue;
      }
      reached.push_back(*one);
      kept.push_back(*one);
      one = waiting.erase(one);
      grown = true;
    }
  }
  return kept;
}

/// A certificate of the path that was objected to, or that is next to it, and that another of its
/// name in the pool could stand in for. The end of the pool if there is none.
std::vector<Certificate>::const_iterator find_replaceable(const Validation& failed,
                                                          const std::vector<Certificate>& pool) {
  const auto stands_for = [](const Certificate& one, const Certificate& other) {
    return one.der() != other.der() && equal(one.subject_der(), other.subject_der());
  };
  for (const Objection& objection : failed.objections) {
    const auto depth = static_cast<std::size_t>(std::max(objection.depth, 0));
    // From there down: what is wrong above may be avoided by another turn below.
    for (std::size_t i = std::min(depth + 2, failed.path.size()); i-- > 1;) {
      const Certificate& taken = failed.path[i];
      const auto found = std::find_if(pool.begin(), pool.end(), [&taken](const Certificate& one) {
        return one.der() == taken.der();
      });
      const bool has_other = std::any_of(
          pool.begin(), pool.end(), [&](const Certificate& one) { return stands_for(one, taken); });
      if (found != pool.end() && has_other) {
        return found;
      }
    }
  }
  return pool.end();
}

/// Validation by the certificates that lead to an anchor. While that fails it is tried again
/// without one of those that have a double (cross-signed CAs); if no path holds, by all, for the
/// report.
Validation validate_best(const ChainRequest& request, const std::vector<Certificate>& anchors) {
  std::vector<Certificate> pool = leading_to(anchors, request.pool);
  for (;;) {
    ChainRequest narrowed = request;
    narrowed.pool = pool;
    Validation tried = validate(narrowed, anchors);
    if (tried.objections.empty()) {
      return tried;
    }
    const auto dead_end = find_replaceable(tried, pool);
    if (dead_end == pool.cend()) {
      return validate(request, anchors);
    }
    pool.erase(dead_end);
  }
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

bool is_leaf_validity(const Objection& objection) {
  return objection.depth == 0 && (objection.code == X509_V_ERR_CERT_HAS_EXPIRED ||
                                  objection.code == X509_V_ERR_CERT_NOT_YET_VALID);
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

/// Ends the path at its first anchor; what is above it does not matter. Trust is in the certificate
/// itself, not in its name or key.
std::optional<Anchor> cut_at_anchor(Validation& validation, const std::vector<Anchor>& anchors) {
  for (std::size_t i = 0; i < validation.path.size(); ++i) {
    const Anchor* anchor = anchor_of(validation.path[i], anchors);
    if (anchor == nullptr) {
      continue;
    }
    validation.path.erase(validation.path.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                          validation.path.end());
    std::erase_if(validation.objections, [i](const Objection& objection) {
      return objection.depth > static_cast<int>(i);
    });
    return *anchor;
  }
  return std::nullopt;
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
  Validation validation = validate_best(request, parsed);
  chain.anchor = cut_at_anchor(validation, *anchors);
  chain.certificates = std::move(validation.path);
  if (chain.certificates.empty()) {
    chain.certificates.push_back(request.leaf);
  }
  for (const Objection& objection : validation.objections) {
    if (request.leaf_at && is_leaf_validity(objection)) {
      continue;
    }
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
