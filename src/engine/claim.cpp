// SPDX-License-Identifier: Apache-2.0
#include "core/log.hpp"
#include "core/text.hpp"
#include "engine/opened_file.hpp"
#include "engine/shelf.hpp"

#include <utility>

namespace signctl::engine {

namespace {

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

bool Claim::has_journal() const {
  return shelf_ != nullptr && shelf_->journal_;
}

std::string Claim::operation() const {
  if (!has_journal()) {
    return {};
  }
  const std::lock_guard lock(shelf_->mutex_);
  std::string operation = shelf_->journal_->pending(key_);
  if (!operation.empty() && !Journal::is_operation(operation)) {
    log_warning("the journal " + printable(shelf_->journal_->path()) + " has \"" +
                printable(operation) +
                "\" for an operation that was accepted, which no service calls one: another "
                "signature is asked for, and both may be counted");
    operation.clear();
  }
  return operation;
}

void Claim::keep_operation(const std::string& operation, const std::vector<Bytes>& chain) const {
  if (!has_journal()) {
    return;
  }
  {
    const std::lock_guard lock(shelf_->mutex_);
    shelf_->note(shelf_->journal_->add_pending(key_, chain, operation));
  }
  shelf_->sync();
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
  // That a file is done needs no such wait: who does not know it verifies it again.
  shelf_->sync();
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

}  // namespace signctl::engine
