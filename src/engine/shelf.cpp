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
#include "engine/opened_file.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace signctl::engine {

namespace {

constexpr std::chrono::milliseconds kLook{50};

/// The signature of `wanted` that a file carries; empty when it has none.
Bytes signature_in(const std::string& path, const UnsignedSignature& wanted) {
  auto opened = open_file(path);
  if (!opened) {
    return {};
  }
  auto stored = stored_signatures(*opened->signable);
  if (!stored) {
    return {};
  }
  for (Bytes& cms : *stored) {
    if (is_signature_of(cms, wanted)) {
      return std::move(cms);
    }
  }
  return {};
}

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

Claim::~Claim() {
  if (shelf_ != nullptr) {
    shelf_->release(key_);
  }
}

std::optional<Found> Claim::find(const UnsignedSignature& wanted, bool timestamped) const {
  if (shelf_ == nullptr) {
    return std::nullopt;
  }
  std::unique_lock lock(shelf_->mutex_);
  const auto known = shelf_->known_.find(key_.text());
  if (known != shelf_->known_.end()) {
    const Shelf::Known copy = known->second;
    lock.unlock();
    Bytes cms = copy.output.empty() ? Bytes{} : signature_in(copy.output, wanted);
    return Found{copy.output.empty() ? "an earlier attempt of this run"
                                     : "the identical file " + copy.output,
                 SignedDigest{copy.signature, *copy.chain},
                 std::move(cms)};
  }
  if (shelf_->cache_) {
    auto cms = shelf_->cache_->find(key_, timestamped);
    if (cms && is_signature_of(*cms, wanted)) {
      return Found{"the cache", std::nullopt, std::move(*cms)};
    }
  }
  if (shelf_->journal_) {
    if (auto made = shelf_->usable(key_, shelf_->journal_->find(key_))) {
      return Found{"the journal of an earlier run", std::move(made), {}};
    }
  }
  return std::nullopt;
}

void Claim::keep(const SignedDigest& made) const {
  if (shelf_ == nullptr) {
    return;
  }
  {
    const std::lock_guard lock(shelf_->mutex_);
    shelf_->remember(key_, made);
    if (!shelf_->journal_) {
      return;
    }
    shelf_->note(shelf_->journal_->add_made(key_, made));
  }
  // Beside the others: the disk takes many at once as quickly as one. That a file is done needs no
  // such wait: who does not know it verifies it again.
  const auto synced = shelf_->journal_->sync();
  const std::lock_guard lock(shelf_->mutex_);
  shelf_->note(synced);
}

void Claim::done(ByteView cms, const std::string& output, bool timestamped) const {
  if (shelf_ == nullptr) {
    return;
  }
  const std::lock_guard lock(shelf_->mutex_);
  const auto known = shelf_->known_.find(key_.text());
  if (known != shelf_->known_.end()) {
    known->second.output = output;
  }
  if (shelf_->cache_) {
    if (auto added = shelf_->cache_->add(key_, timestamped, cms); !added) {
      log_warning("the signature could not be put into the cache: " + added.error().message);
    }
  }
  if (shelf_->journal_) {
    shelf_->note(shelf_->journal_->add_done(key_));
  }
}

void Claim::discard() const {
  if (shelf_ == nullptr) {
    return;
  }
  const std::lock_guard lock(shelf_->mutex_);
  shelf_->known_.erase(key_.text());
  if (shelf_->cache_) {
    shelf_->cache_->remove(key_);
  }
}

Shelf::Shelf(Clock& clock, std::chrono::milliseconds deadline)
    : clock_(clock), deadline_(clock.steady_now() + deadline) {}

Result<std::unique_ptr<Shelf>> Shelf::look(const ShelfOptions& options, Clock& clock) {
  std::unique_ptr<Shelf> shelf(new Shelf(clock, options.deadline));
  if (!options.journal.empty()) {
    SIGNCTL_TRY(shelf->journal_, Journal::look(options.journal), "");
  }
  return shelf;
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
