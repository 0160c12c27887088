// SPDX-License-Identifier: Apache-2.0
#include "crypto/digest.hpp"
#include "fake/personality.hpp"
#include "support/must.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace signctl::fake {

namespace {

constexpr std::array<std::pair<std::string_view, FaultKind>, 10> kFaults{{
    {"status", FaultKind::status},
    {"close", FaultKind::close},
    {"cut", FaultKind::cut},
    {"delay", FaultKind::delay},
    {"malformed-json", FaultKind::malformed_json},
    {"html", FaultKind::html},
    {"huge", FaultKind::huge},
    {"wrong-signature", FaultKind::wrong_signature},
    {"other-key", FaultKind::other_key},
    {"other-certificate", FaultKind::other_certificate},
}};

std::string kind_of(const crypto::KeyBundle& signer) {
  const crypto::KeyFacts& key = signer.key.facts();
  if (key.type == crypto::KeyType::rsa) {
    return "rsa" + std::to_string(key.bits);
  }
  return "p" + key.curve.substr(2);
}

}  // namespace

std::string Request::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

Response json_response(int status, const Json& body) {
  return {status, {{"content-type", "application/json"}}, body.dump()};
}

Response text_response(int status, const std::string& text) {
  return json_response(status, {{"error", text}});
}

std::optional<FaultKind> find_fault(std::string_view name) {
  for (const auto& [known, kind] : kFaults) {
    if (known == name) {
      return kind;
    }
  }
  return std::nullopt;
}

Lab::Lab(Marking marking, Now now) : now_(std::move(now)), pki_(now_(), marking) {}

TimePoint Lab::now() const {
  const std::lock_guard lock(mutex_);
  return now_() + offset_;
}

void Lab::set_clock_offset(std::chrono::seconds offset) {
  const std::lock_guard lock(mutex_);
  offset_ = offset;
}

void Lab::add(Fault fault) {
  const std::lock_guard lock(mutex_);
  faults_.push_back(std::move(fault));
}

void Lab::clear_faults() {
  const std::lock_guard lock(mutex_);
  faults_.clear();
}

std::optional<Fault> Lab::take(std::span<const FaultKind> kinds, const std::string& request) {
  const std::lock_guard lock(mutex_);
  for (auto fault = faults_.begin(); fault != faults_.end(); ++fault) {
    if (std::find(kinds.begin(), kinds.end(), fault->kind) == kinds.end() ||
        request.find(fault->match) == std::string::npos) {
      continue;
    }
    Fault taken = *fault;
    if (fault->times > 0 && --fault->times == 0) {
      faults_.erase(fault);
    }
    return taken;
  }
  return std::nullopt;
}

Bytes Lab::sign(const crypto::KeyBundle& signer, ByteView digest, DigestAlg alg) {
  if (digest.size() != digest_size(alg)) {
    return {};
  }
  const std::lock_guard lock(mutex_);
  static constexpr std::array kOtherDigest{FaultKind::wrong_signature};
  static constexpr std::array kOtherKey{FaultKind::other_key};
  if (take(kOtherDigest, "")) {
    return test::must(signer.key.sign_digest(crypto::hash(alg, digest), alg));
  }
  if (take(kOtherKey, "")) {
    return test::must(pki_.signer(kind_of(signer), generation_ + 1).key.sign_digest(digest, alg));
  }
  return test::must(signer.key.sign_digest(digest, alg));
}

const crypto::KeyBundle& Lab::signer(std::string_view kind) {
  const std::lock_guard lock(mutex_);
  return pki_.signer(kind, generation_);
}

const crypto::KeyBundle& Lab::shown(std::string_view kind) {
  const std::lock_guard lock(mutex_);
  static constexpr std::array kOther{FaultKind::other_certificate};
  return pki_.signer(kind, take(kOther, "") ? generation_ + 1 : generation_);
}

void Lab::rotate() {
  const std::lock_guard lock(mutex_);
  ++generation_;
}

void Lab::grant(const std::string& token, Json claims) {
  const std::lock_guard lock(mutex_);
  granted_[token] = std::move(claims);
}

std::optional<Json> Lab::granted(const std::string& token) const {
  const std::lock_guard lock(mutex_);
  const auto found = granted_.find(token);
  return found == granted_.end() ? std::nullopt : std::optional(found->second);
}

void Lab::record(Served served) {
  const std::lock_guard lock(mutex_);
  served_.push_back(std::move(served));
}

std::vector<Served> Lab::served() const {
  const std::lock_guard lock(mutex_);
  return served_;
}

std::size_t Lab::count(std::string_view part) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(served_.begin(), served_.end(), [&](const Served& one) {
        return (one.method + " " + one.path).find(part) != std::string::npos;
      }));
}

void Lab::note(Json entry) {
  const std::lock_guard lock(mutex_);
  notes_.push_back(std::move(entry));
}

std::vector<Json> Lab::notes() const {
  const std::lock_guard lock(mutex_);
  return notes_;
}

void Lab::forget() {
  const std::lock_guard lock(mutex_);
  served_.clear();
  notes_.clear();
}

}  // namespace signctl::fake
