// SPDX-License-Identifier: Apache-2.0
#include "engine/shelf.hpp"

#include "cms/signed_data.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "crypto/certificate.hpp"
#include "crypto/digest.hpp"
#include "crypto/keys.hpp"
#include "crypto/oids.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace signctl::engine {

namespace {

constexpr std::chrono::milliseconds kLook{50};

/// The value of a ContentInfo's first signer; empty when it is none.
Bytes signature_value(ByteView cms) {
  const auto data = cms::parse_signed_data(cms);
  return data ? data->signers.front().signature : Bytes{};
}

/// The signature values of ContentInfos and of those nested in them.
std::vector<Bytes> signature_values(std::vector<Bytes> waiting) {
  std::vector<Bytes> values;
  while (!waiting.empty()) {
    const Bytes cms = std::move(waiting.back());
    waiting.pop_back();
    const auto data = cms::parse_signed_data(cms);
    if (!data) {
      continue;
    }
    for (const cms::SignerInfo& signer : data->signers) {
      values.push_back(signer.signature);
      for (const auto* attribute : signer.find_unsigned(oid::kSpcNestedSignature)) {
        waiting.insert(waiting.end(), attribute->values.begin(), attribute->values.end());
      }
    }
  }
  return values;
}

}  // namespace

Shelf::Shelf(Clock& clock, std::chrono::milliseconds deadline)
    : clock_(clock), deadline_(clock.steady_now() + deadline) {}

Result<std::unique_ptr<Shelf>> Shelf::look(const ShelfOptions& options, Clock& clock) {
  std::unique_ptr<Shelf> shelf(new Shelf(clock, options.deadline));
  if (!options.journal.empty()) {
    SIGNCTL_TRY(shelf->journal_, Journal::look(options.journal), "");
  }
  return shelf;
}

void Shelf::sync() {
  // Without the lock: the disk takes many at once as quickly as one.
  const auto synced = journal_->sync();
  const std::lock_guard lock(mutex_);
  note(synced);
}

void Shelf::note(const Result<void>& written) {
  if (written || failure_) {
    return;
  }
  failure_ = written.error();
  log_warning(failure_->message +
              "; the signatures that are in hand are finished, and no more are asked for");
}

Result<void> Shelf::check() const {
  const std::lock_guard lock(mutex_);
  if (!failure_) {
    return ok();
  }
  return Error{ErrorKind::output,
               "no signature was asked for, because it could not be noted in the journal: " +
                   failure_->message,
               "make room for the journal, or name another place with --journal; then run again "
               "with --if-signed skip-valid, because the journal does not know all that is done"};
}

Result<std::unique_ptr<Shelf>> Shelf::open(const ShelfOptions& options, Clock& clock) {
  std::unique_ptr<Shelf> shelf(new Shelf(clock, options.deadline));
  if (!options.journal.empty()) {
    SIGNCTL_TRY(shelf->journal_, Journal::open(options.journal), "");
  }
  if (!options.cache.empty()) {
    SIGNCTL_TRY(shelf->cache_, SignatureCache::open(options.cache), "");
  }
  return shelf;
}

Result<Claim> Shelf::claim(SignatureKey key) {
  const std::string text = key.text();
  bool said = false;
  std::unique_lock lock(mutex_);
  while (true) {
    if (!busy_.contains(text)) {
      if (!journal_) {
        break;
      }
      SIGNCTL_TRY(const bool locked, journal_->try_lock(key), "");
      if (locked) {
        break;
      }
      if (!std::exchange(said, true)) {
        log_info("waiting for another run of signctl that signs the same file");
      }
      if (clock_.steady_now() >= deadline_) {
        waited_in_vain_ = true;
        return Error{ErrorKind::network,
                     "another run of signctl that signs the same file did not come to its end for "
                     "as long as this run may take",
                     "see whether it hangs or was stopped, end it, and run again"};
      }
    }
    if (stop_requested()) {
      return Error{ErrorKind::interrupted, "stopped while another run was signing the same file"};
    }
    released_.wait_for(lock, kLook);
  }
  busy_.insert(text);
  return Claim(this, std::move(key));
}

void Shelf::release(const SignatureKey& key) {
  const std::lock_guard lock(mutex_);
  busy_.erase(key.text());
  if (journal_) {
    journal_->unlock(key);
  }
  released_.notify_all();
}

std::optional<SignedDigest> Shelf::usable(const SignatureKey& key,
                                          std::optional<SignedDigest> made) const {
  if (!made || made->chain.empty()) {
    return std::nullopt;
  }
  const auto leaf = crypto::Certificate::parse(made->chain.front());
  const bool good = leaf && clock_.now() <= leaf->not_after() &&
                    crypto::verify_digest(*leaf, key.digest, key.alg, made->signature);
  return good ? std::move(made) : std::nullopt;
}

void Shelf::remember(const SignatureKey& key, const SignedDigest& made) {
  if (!last_chain_ || *last_chain_ != made.chain) {
    last_chain_ = std::make_shared<const std::vector<Bytes>>(made.chain);
  }
  known_.insert_or_assign(key.text(), Known{made.signature, last_chain_, {}});
}

bool Shelf::made_any_of(const std::vector<Bytes>& signatures) const {
  const auto values = signature_values(signatures);
  const std::lock_guard lock(mutex_);
  return journal_ && std::any_of(values.begin(), values.end(), [&](const Bytes& value) {
           return journal_->knows_signature(value);
         });
}

std::string Shelf::made_by(ByteView cms) const {
  const Bytes value = signature_value(cms);
  const std::lock_guard lock(mutex_);
  return journal_ ? journal_->identity_of(value) : "";
}

bool Shelf::owes() const {
  const std::lock_guard lock(mutex_);
  return journal_ && journal_->owes();
}

Result<Paid> Shelf::paid(DigestAlg alg,
                         ByteView digest,
                         const decltype(Stages::is_ours)& is_ours) const {
  const std::lock_guard lock(mutex_);
  if (!journal_) {
    return Paid::nothing;
  }
  // Who signs is known from what is written down only. A signer whose certificate comes with the
  // signature is named without one.
  std::vector<CertificateInfo> leaves(1);
  for (const Bytes& der : journal_->leaves()) {
    if (const auto leaf = crypto::Certificate::parse(der)) {
      leaves.push_back(leaf->info());
    }
  }
  for (const std::string& identity : journal_->owed_to(alg, digest)) {
    for (const CertificateInfo& leaf : leaves) {
      SIGNCTL_TRY(const bool ours, is_ours ? is_ours(identity, leaf) : Result<bool>(true), "");
      if (!ours) {
        continue;
      }
      const SignatureKey key{identity, alg, Bytes(digest.begin(), digest.end())};
      if (usable(key, journal_->find(key))) {
        return Paid::made;
      }
      if (!journal_->pending(key).empty()) {
        return Paid::accepted;
      }
    }
  }
  return Paid::nothing;
}

void Shelf::note_done(const std::vector<Bytes>& signatures) {
  const auto values = signature_values(signatures);
  const std::lock_guard lock(mutex_);
  for (const Bytes& value : values) {
    if (journal_) {
      note(journal_->add_done(value));
    }
  }
}

void Shelf::finish() {
  const std::lock_guard lock(mutex_);
  if (journal_) {
    journal_->remove_if_complete();
  }
}

}  // namespace signctl::engine
