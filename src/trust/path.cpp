// SPDX-License-Identifier: Apache-2.0
#include "trust/path.hpp"

#include "core/equal.hpp"
#include "crypto/handles.hpp"
#include "crypto/path_rules.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

namespace signctl::trust {

namespace {

constexpr int kMaxDepth = 10;
/// Signatures of certificates that are checked in search of a path, and paths that are judged.
constexpr int kMaxSteps = 200;
constexpr int kMaxPaths = 50;

using crypto::Certificate;
using crypto::CertStack;

bool is_among(const Certificate& certificate, std::span<const Certificate> others) {
  return std::any_of(others.begin(), others.end(), [&certificate](const Certificate& one) {
    return one.der() == certificate.der();
  });
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

Path validate(const ChainRequest& request, const std::vector<Certificate>& anchors) {
  Path result;
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
    result.certificates.push_back(std::move(*certificate));
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

bool is_leaf_validity(const Objection& objection) {
  return objection.depth == 0 && (objection.code == X509_V_ERR_CERT_HAS_EXPIRED ||
                                  objection.code == X509_V_ERR_CERT_NOT_YET_VALID);
}

/// validate(), but the path ends at its first anchor: what is above it does not matter. Trust is in
/// the certificate itself, not in its name or key. The leaf's validity is left to who judges it at
/// another time.
Path judged(const ChainRequest& request, const std::vector<Certificate>& anchors) {
  Path path = validate(request, anchors);
  auto& certificates = path.certificates;
  const auto anchor = std::find_if(certificates.begin(),
                                   certificates.end(),
                                   [&](const Certificate& one) { return is_among(one, anchors); });
  if (anchor != certificates.end()) {
    const auto depth = static_cast<int>(anchor - certificates.begin());
    certificates.erase(anchor + 1, certificates.end());
    std::erase_if(path.objections,
                  [depth](const Objection& objection) { return objection.depth > depth; });
  }
  if (request.leaf_at) {
    std::erase_if(path.objections, is_leaf_validity);
  }
  return path;
}

/// How much speaks against a path that ends at an anchor.
std::size_t weight(const Path& path, const ChainRequest& request) {
  return path.objections.size() + crypto::check_path(path.certificates, request.purpose).size();
}

/// All paths from the leaf to an anchor, along issuers' names and signatures, until one is good.
class Search {
 public:
  /// @param pool  Those that may lead to an anchor, the nearest first.
  Search(const ChainRequest& request,
         const std::vector<Certificate>& anchors,
         const std::vector<Certificate>& pool)
      : request_(request), anchors_(anchors), pool_(pool), path_{request.leaf} {}

  std::optional<Path> run() {
    extend();
    return std::move(best_);
  }

 private:
  [[nodiscard]] bool is_over() const { return least_ == 0 || steps_ <= 0 || paths_ <= 0; }

  void extend() {
    if (is_among(path_.back(), anchors_)) {
      judge();
      return;
    }
    if (path_.size() <= kMaxDepth) {
      climb(anchors_);
      climb(pool_);
    }
  }

  void climb(const std::vector<Certificate>& issuers) {
    for (const Certificate& issuer : issuers) {
      const Certificate top = path_.back();
      if (is_over() || !equal(issuer.subject_der(), top.issuer_der()) || is_among(issuer, path_)) {
        continue;
      }
      --steps_;
      if (top.signed_by(issuer)) {
        path_.push_back(issuer);
        extend();
        path_.pop_back();
      }
    }
  }

  void judge() {
    --paths_;
    ChainRequest alone = request_;
    alone.pool = std::span(path_).subspan(1);
    Path path = judged(alone, {path_.back()});
    const std::size_t against = weight(path, request_);
    if (!best_ || against < least_) {
      best_ = std::move(path);
      least_ = against;
    }
  }

  const ChainRequest& request_;
  const std::vector<Certificate>& anchors_;
  const std::vector<Certificate>& pool_;
  std::vector<Certificate> path_;
  std::optional<Path> best_;
  std::size_t least_{SIZE_MAX};
  int steps_{kMaxSteps};
  int paths_{kMaxPaths};
};

}  // namespace

Path find_path(const ChainRequest& request, const std::vector<Certificate>& anchors) {
  const std::vector<Certificate> pool = leading_to(anchors, request.pool);
  ChainRequest narrowed = request;
  narrowed.pool = pool;
  // OpenSSL takes the first certificate of a name that looks right, which nearly always is.
  Path first = judged(narrowed, anchors);
  if (!first.certificates.empty() && is_among(first.certificates.back(), anchors) &&
      weight(first, request) == 0) {
    return first;
  }
  auto best = Search(request, anchors, pool).run();
  return best ? std::move(*best) : judged(request, anchors);
}

}  // namespace signctl::trust
