// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/digest_alg.hpp>
#include <signctl/format.hpp>

#include <condition_variable>
#include <cstdint>
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

/// Reads a draft back while it is still being filled, in a thread of its own, so that its content
/// has been hashed, from the draft and nowhere else, by the time the edits are made.
class DraftReader {
 public:
  DraftReader(std::string path_utf8,
              const Format& format,
              DigestAlg alg,
              std::shared_ptr<CopyProgress> progress);
  DraftReader(const DraftReader&) = delete;
  DraftReader& operator=(const DraftReader&) = delete;
  ~DraftReader();

  /// Waits for the thread. The draft as it was before the edits, its digest computed; null when
  /// that did not work out, and the gate has to find out by itself why.
  [[nodiscard]] std::unique_ptr<Signable> finish();

 private:
  std::shared_ptr<CopyProgress> progress_;
  std::unique_ptr<Signable> read_;
  std::thread thread_;
};

}  // namespace signctl::engine
