// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/append_file.hpp"

#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/provider.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace signctl::engine {

/// What a signature is over, and whose it is: the same key, the same signature.
struct SignatureKey {
  std::string identity;  ///< Signer::identity()
  DigestAlg alg{DigestAlg::sha256};
  Bytes digest;  ///< What the signing key signs: it covers the file's digest and all options.

  /// "IDENTITY ALG DIGEST", hex in lower case.
  [[nodiscard]] std::string text() const;
};

/// The signatures that runs have paid for, on disk before anything else is done with them. A run
/// that died is continued from it: what was made is not made again.
///
/// A text file; each line is one entry and ends in the first 16 hex digits of the SHA-256 of what
/// stands before (with the blank). A line that is torn or damaged is passed over.
///
///     signctl-journal 1 SUM
///     chain ID CERTIFICATE... SUM                base64 DER, leaf first
///     pending IDENTITY ALG DIGEST OPERATION SUM  in base64: what the service fetches it by
///     made IDENTITY ALG DIGEST CHAIN-ID SIGNATURE SUM
///     done IDENTITY ALG DIGEST SUM               the signed file is in its place
///
/// Entries are appended in one write each. Two processes lock the octet that stands for
/// a key while they make its signature. Not safe to share between threads.
class Journal {
 public:
  /// Whether that can be what a service calls an operation: nothing else is asked for.
  [[nodiscard]] static bool is_operation(std::string_view text);

  /// Opens or creates it, with its folder, and reads what is there.
  ///
  /// @errors `output` when it cannot be written; `input` when it is of another kind.
  static Result<Journal> open(const std::string& path_utf8);

  /// What is there, to look at only: nothing is created, locked or written. Empty without a file.
  ///
  /// @errors `input` when it cannot be read or is of another kind.
  static Result<std::optional<Journal>> look(const std::string& path_utf8);

  /// What was made for `key`.
  [[nodiscard]] std::optional<SignedDigest> find(const SignatureKey& key) const;

  /// What the service knows the operation by that is to bring the signature for `key`, as it is
  /// written down; empty when none was accepted, or the signature is there.
  [[nodiscard]] std::string pending(const SignatureKey& key) const;

  /// Whether a signature with that value was made by a run that is written down here.
  [[nodiscard]] bool knows_signature(ByteView signature) const;
  /// Whose it is, by SignatureKey::identity; empty when it is not written down here.
  [[nodiscard]] std::string identity_of(ByteView signature) const;

  /// Whose signatures over that digest are paid for and in no file yet, by SignatureKey::identity.
  [[nodiscard]] std::vector<std::string> owed_to(DigestAlg alg, ByteView digest) const;
  /// Whether there is any such signature at all.
  [[nodiscard]] bool owes() const;
  /// DER of the certificates that sign, as far as they are written down.
  [[nodiscard]] std::vector<Bytes> leaves() const;

  /// @param chain  What the signature is expected to carry; empty where that is not known.
  Result<void> add_pending(const SignatureKey& key,
                           const std::vector<Bytes>& chain,
                           const std::string& operation);
  Result<void> add_made(const SignatureKey& key, const SignedDigest& made);
  /// Waits until the disk has what was added. The one member that threads may call together, and
  /// beside the others.
  Result<void> sync() const;
  Result<void> add_done(const SignatureKey& key);
  /// add_done() for the key whose signature has that value; nothing when there is none.
  Result<void> add_done(ByteView signature);

  /// Tries to lock `key` against other processes; once locked, what those have written is read.
  Result<bool> try_lock(const SignatureKey& key);
  void unlock(const SignatureKey& key);

  /// Removes the file if all that was made is done and no other process is at work with it.
  /// Operations that are still to be fetched stay noted.
  void remove_if_complete();

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Entry {
    Bytes signature;
    std::string chain;  ///< Key of chains_.
  };

  Journal(std::string path, std::optional<AppendFile> file);
  Result<void> read_on();
  Result<void> read_all(ByteView bytes);
  void read_lines(std::string_view text);
  void read_line(std::string_view line);
  [[nodiscard]] bool is_owed(const std::string& key) const;
  Result<void> write(const std::string& line);
  Result<std::string> write_chain(const std::vector<Bytes>& chain);
  Result<void> start_over();
  Result<void> write_done(const std::string& key);

  std::string path_;
  std::optional<AppendFile> file_;  ///< Empty: only looked at.
  std::uint64_t read_to_{0};
  std::map<std::string, std::vector<Bytes>> chains_;
  std::map<std::string, std::string> pending_;  ///< By SignatureKey::text(), as what follows.
  std::map<std::string, Entry> made_;
  std::set<std::string> done_;
  std::map<Bytes, std::string> signatures_;  ///< SHA-256 of each signature value, to its key.
};

}  // namespace signctl::engine
