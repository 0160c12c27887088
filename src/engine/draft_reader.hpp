// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/prefix_hash.hpp"

#include <signctl/digest_alg.hpp>
#include <signctl/format.hpp>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace signctl::engine {

/// How far a draft has been filled. One thread tells, another waits.
class CopyProgress {
 public:
  /// The draft has its full size, and its bytes below `end` are in place.
  void reached(std::uint64_t end);
  /// Nothing more comes.
  void stop();
  /// Waits. False when the bytes below `end` will never be there.
  [[nodiscard]] bool wait_for(std::uint64_t end);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<std::uint64_t> reached_;
  bool stopped_{false};
};

/// What was made of a draft as it was before the edits. All empty when that did not work out, and
/// the gate has to find out by itself why.
struct ReadBack {
  std::unique_ptr<Signable> signable;  ///< Its digest computed.
  std::optional<crypto::PrefixHash> prefix;
};

/// What is made of it. Reading a byte waits until it is in place.
using ReadTask = std::function<ReadBack(const std::shared_ptr<const ByteSource>& draft)>;

/// Opens the draft and computes its digest.
[[nodiscard]] ReadTask digest_of(const Format& format, DigestAlg alg);

/// Hashes the first `length` bytes.
[[nodiscard]] ReadTask hash_of_prefix(DigestAlg alg, std::uint64_t length);

/// Reads a draft back while it is still being filled, in a thread of its own, so that its content
/// has been hashed, from the draft and nowhere else, by the time the edits are made.
class DraftReader {
 public:
  DraftReader(std::string path_utf8, ReadTask task, std::shared_ptr<CopyProgress> progress);
  DraftReader(const DraftReader&) = delete;
  DraftReader& operator=(const DraftReader&) = delete;
  ~DraftReader();

  /// Waits for the thread.
  [[nodiscard]] ReadBack finish();

 private:
  std::shared_ptr<CopyProgress> progress_;
  ReadBack read_;
  std::thread thread_;
};

}  // namespace signctl::engine
