// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/build_signature.hpp"
#include "engine/journal.hpp"
#include "engine/signature_cache.hpp"

#include <signctl/provider.hpp>
#include <signctl/result.hpp>
#include <signctl/world.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace signctl::engine {

struct ShelfOptions {
  std::string journal;  ///< Path; empty: what is made is remembered for this run only.
  std::string cache;    ///< Folder; empty: none.
  /// How long the run may take: nobody waits longer for another process.
  std::chrono::milliseconds deadline{std::chrono::hours(24 * 365)};
};

/// A signature that need not be made: where it was found, and what of it there is.
struct Found {
  std::string where;  ///< For people: "the journal", "the cache", "identical file app.dll".
  std::optional<SignedDigest> made;  ///< The bare signature ...
  Bytes cms;                         ///< ... or the finished one, timestamp and all.
};

class Shelf;

/// The right, for as long as it lives, to make the signature for one key: nobody else makes it
/// meanwhile, in this process or in another with the same journal.
class Claim {
 public:
  Claim() = default;
  Claim(Shelf* shelf, SignatureKey key) : shelf_(shelf), key_(std::move(key)) {}
  Claim(Claim&& other) noexcept
      : shelf_(std::exchange(other.shelf_, nullptr)), key_(std::move(other.key_)) {}
  Claim& operator=(Claim&&) = delete;
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  ~Claim();

  /// What there is already; everything in it has been verified.
  [[nodiscard]] std::optional<Found> find(const UnsignedSignature& wanted, bool timestamped) const;
  /// Whether anything is noted for a run to come.
  [[nodiscard]] bool has_journal() const;
  /// The service's operation that is to bring the signature; empty when none was accepted.
  [[nodiscard]] std::string operation() const;
  /// The service has accepted to make the signature: whoever dies from here on finds it again.
  ///
  /// @param chain  What the signature is expected to carry; empty where that is not known.
  void keep_operation(const std::string& operation, const std::vector<Bytes>& chain) const;
  /// A signature was made. From here on no crash makes anybody pay for it again; when that cannot
  /// be written down, this one is still used, and Shelf::check() lets no other be made.
  void keep(const SignedDigest& made) const;
  /// The finished signature is in the file `output`.
  void done(ByteView cms, const std::string& output, bool timestamped) const;
  /// What was found did not pass the gate: nobody shall find it again.
  void discard() const;

 private:
  Shelf* shelf_{nullptr};  ///< Null: nothing is remembered.
  SignatureKey key_;
};

/// What signatures there are already: those of this run, of earlier ones that did not finish, and
/// of the cache. Safe to share between threads.
class Shelf {
 public:
  static Result<std::unique_ptr<Shelf>> open(const ShelfOptions& options, Clock& clock);
  /// What the journal says, for a command that writes nothing. Without a journal it is empty.
  static Result<std::unique_ptr<Shelf>> look(const ShelfOptions& options, Clock& clock);

  /// Waits until nobody else is making the signature for `key`.
  ///
  /// @errors `network` when another process held on to it until the deadline; `interrupted`; those
  ///         of the journal.
  Result<Claim> claim(SignatureKey key);
  /// Whether a claim has failed because of the deadline.
  [[nodiscard]] bool waited_in_vain() const { return waited_in_vain_; }

  /// Whether a new signature can be written down.
  ///
  /// @errors `output` once the journal could not be written.
  Result<void> check() const;

  /// Whether one of `signatures` (ContentInfos), or one nested in them, was made by a run that is
  /// written down in the journal.
  [[nodiscard]] bool made_any_of(const std::vector<Bytes>& signatures) const;
  /// Whose signature the one in `cms` is, by Signer::identity(); empty when the journal does not
  /// know it.
  [[nodiscard]] std::string made_by(ByteView cms) const;
  /// Whether signatures are paid for and in no file yet.
  [[nodiscard]] bool owes() const;
  /// What is paid for of a signature over that digest by one of the run's signers.
  ///
  /// @param is_ours  Stages::is_ours
  [[nodiscard]] Result<Paid> paid(DigestAlg alg,
                                  ByteView digest,
                                  const decltype(Stages::is_ours)& is_ours) const;
  /// Notes that such a file was found in its place and passes.
  void note_done(const std::vector<Bytes>& signatures);

  /// The run has done all it had to: removes a journal that has nothing left to tell.
  void finish();

 private:
  friend class Claim;
  /// What this run has made.
  struct Known {
    Bytes signature;
    std::shared_ptr<const std::vector<Bytes>>
        chain;           ///< One for all: there may be many signatures.
    std::string output;  ///< A file that carries it; empty until there is one.
  };

  Shelf(Clock& clock, std::chrono::milliseconds deadline);
  /// Waits until the disk has what the journal was given, beside other threads.
  void sync();
  /// Notes that the journal could not be written, if so. Call with mutex_ held.
  void note(const Result<void>& written);
  void remember(const SignatureKey& key, const SignedDigest& made);
  void release(const SignatureKey& key);
  std::optional<SignedDigest> usable(const SignatureKey& key,
                                     std::optional<SignedDigest> made) const;

  Clock& clock_;
  const std::chrono::steady_clock::time_point deadline_;
  std::atomic<bool> waited_in_vain_{false};
  std::optional<Error> failure_;  ///< Of the journal: the first.
  mutable std::mutex mutex_;
  std::condition_variable released_;
  std::optional<Journal> journal_;
  std::optional<SignatureCache> cache_;
  std::map<std::string, Known> known_;
  std::shared_ptr<const std::vector<Bytes>> last_chain_;
  std::set<std::string> busy_;
};

}  // namespace signctl::engine
