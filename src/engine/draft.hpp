// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/atomic_file.hpp"
#include "core/file.hpp"
#include "engine/draft_reader.hpp"
#include "engine/opened_file.hpp"

#include <signctl/patch_set.hpp>
#include <signctl/result.hpp>

#include <memory>
#include <string>
#include <thread>

namespace signctl::engine {

/// The output file on its way from a copy of the input to what is renamed over the target.
///
/// begin() starts copying at once, beside the hashing that its caller goes on with; apply() waits
/// for the copy and makes the edits; commit() waits for the disk. Dropped before commit(), it
/// leaves nothing behind.
class Draft {
 public:
  /// Creates the temporary file beside `target_utf8` and starts to fill it. Small inputs are copied
  /// before it returns; larger ones by a thread of their own.
  ///
  /// @errors `output` when the target may not be written, before anything has been spent.
  static Result<Draft> begin(std::shared_ptr<const FileSource> source,
                             const std::string& target_utf8);

  /// The same, and a large draft's content is read back while it is being filled, so that the gate,
  /// which must have read it, need not read it once more.
  ///
  /// @param alg  The digest that the gate is going to ask for.
  static Result<Draft> begin_read_back(const OpenedFile& opened,
                                       const std::string& target_utf8,
                                       DigestAlg alg);

  Draft(Draft&&) noexcept = default;
  Draft& operator=(Draft&&) = delete;
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  ~Draft();

  /// Waits for the copy, so that a full disk is known before a signature is spent.
  Result<void> fill();

  /// Waits for the copy, then applies the edits. From here on the bytes are final; writing them out
  /// to the disk starts, while the gate reads them from memory.
  Result<void> apply(const PatchSet& patches);

  /// Hands `written`, opened from the final bytes, what was computed when the draft was read back,
  /// so far as the edits left alone what it covers.
  Result<void> carry_over_to(Signable& written);

  /// Where the final bytes can be read before they get their name.
  [[nodiscard]] const std::string& path() const { return file_->temporary_path(); }

  /// Waits until the bytes are durable, makes sure that the input is still the file that was read,
  /// and renames.
  ///
  /// @errors `input` when somebody changed the input meanwhile; `output` for the disk.
  Result<void> commit();

 private:
  /// A task in a thread of its own, whose result is collected once.
  struct Job {
    std::thread thread;
    Result<void> result;
  };

  /// Whether the copy lets everybody else go first, or is what others wait for.
  enum class Haste { none, some };

  Draft(std::shared_ptr<const FileSource> source, AtomicFile file);

  /// Runs `task` in the background; the one before must have been waited for.
  template <class Task>
  void start(Task task);
  Result<void> wait();
  void start_copy(Haste haste);
  static Result<Draft> begin_with(std::shared_ptr<const FileSource> source,
                                  const std::string& target_utf8,
                                  Haste haste);

  std::shared_ptr<const FileSource> source_;
  // Both stay where they are while the Draft moves: the thread holds on to them.
  std::unique_ptr<AtomicFile> file_;
  std::unique_ptr<Job> job_;
  bool sync_late_ = false;  ///< Nothing syncs in the background: commit() has to.
  std::shared_ptr<CopyProgress> progress_;
  std::unique_ptr<DraftReader> reader_;  ///< Null when nothing is read back early.
  ReadBack read_back_;                   ///< What the reader made of the draft before the edits.
  PatchSet edits_;                       ///< What was done to it since.
};

}  // namespace signctl::engine
