// SPDX-License-Identifier: Apache-2.0
#include "engine/draft.hpp"

#include "core/thread_priority.hpp"

#include <signctl/carries_digests.hpp>

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

namespace signctl::engine {

namespace {

// Below this a thread costs more than copying and syncing do.
constexpr std::uint64_t kInline = 1U << 20U;
constexpr std::uint64_t kMoveBlock = 1U << 20U;

Result<void> copy_move(const ByteSource& source, const Move& move, AtomicFile& file) {
  if (move.from > source.size() || move.size > source.size() - move.from) {
    return Error{ErrorKind::internal, "a move takes bytes that the file does not have"};
  }
  Bytes block(static_cast<std::size_t>(std::min(move.size, kMoveBlock)));
  for (std::uint64_t done = 0; done < move.size;) {
    const auto size = static_cast<std::size_t>(std::min(move.size - done, kMoveBlock));
    const auto part = std::span(block).first(size);
    SIGNCTL_CHECK(source.read_at(move.from + done, part), "");
    SIGNCTL_CHECK(file.write_at(move.to + done, part), "");
    done += size;
  }
  return ok();
}

/// True when no edit touches the first `length` bytes.
bool leave_alone(const PatchSet& edits, std::uint64_t length) {
  return edits.keep >= length &&
         std::all_of(edits.moves.begin(),
                     edits.moves.end(),
                     [&](const Move& move) { return move.to >= length; }) &&
         std::all_of(edits.patches.begin(), edits.patches.end(), [&](const Patch& patch) {
           return patch.offset >= length;
         });
}

}  // namespace

Draft::Draft(std::shared_ptr<const FileSource> source, AtomicFile file)
    : source_(std::move(source)), file_(std::make_unique<AtomicFile>(std::move(file))) {}

Draft::~Draft() {
  // First of all: it waits for bytes that nobody may be going to copy.
  reader_.reset();
  if (job_ && job_->thread.joinable()) {
    job_->thread.join();
  }
}

template <class Task>
void Draft::start(Task task) {
  job_ = std::make_unique<Job>();
  job_->thread = std::thread([job = job_.get(), task] { job->result = task(); });
}

Result<void> Draft::wait() {
  if (!job_) {
    return ok();
  }
  job_->thread.join();
  const auto job = std::exchange(job_, nullptr);
  return std::move(job->result);
}

void Draft::start_copy(Haste haste) {
  progress_ = std::make_shared<CopyProgress>();
  start([from = source_.get(), to = file_.get(), progress = progress_, haste] {
    if (haste == Haste::none) {
      yield_to_other_threads();
    }
    auto copied = to->copy_from(
        *from, from->size(), [&progress](std::uint64_t end) { progress->reached(end); });
    progress->stop();
    return copied;
  });
}

Result<Draft> Draft::begin(std::shared_ptr<const FileSource> source,
                           const std::string& target_utf8) {
  // The hash is what everybody waits for, and those who read for it.
  return begin_with(std::move(source), target_utf8, Haste::none);
}

Result<Draft> Draft::begin_with(std::shared_ptr<const FileSource> source,
                                const std::string& target_utf8,
                                Haste haste) {
  SIGNCTL_TRY(AtomicFile file, AtomicFile::create(target_utf8, Existing::replace), "");
  Draft draft(std::move(source), std::move(file));
  if (draft.source_->size() <= kInline) {
    SIGNCTL_CHECK(draft.file_->copy_from(*draft.source_, draft.source_->size()),
                  "copying the file");
  } else {
    draft.start_copy(haste);
  }
  return draft;
}

Result<Draft> Draft::begin_read_back(const OpenedFile& opened,
                                     const std::string& target_utf8,
                                     DigestAlg alg) {
  ReadTask task;
  Haste haste = Haste::none;
  if (dynamic_cast<const CarriesDigests*>(opened.signable.get()) != nullptr) {
    task = digest_of(*opened.format, alg);
  } else if (const auto* const hashes =
                 dynamic_cast<const crypto::HashesFromStart*>(opened.signable.get())) {
    task = hash_of_prefix(alg, hashes->settled_prefix());
    haste = Haste::some;
  }
  SIGNCTL_TRY(Draft draft, begin_with(opened.source, target_utf8, haste), "");
  if (draft.progress_ && task) {
    draft.reader_ = std::make_unique<DraftReader>(draft.path(), std::move(task), draft.progress_);
  }
  return draft;
}

Result<void> Draft::fill() {
  return wait();
}

Result<void> Draft::apply(const PatchSet& patches) {
  SIGNCTL_CHECK(wait(), "copying the file");
  if (reader_) {
    // What is read from here on would be read between two edits.
    read_back_ = reader_->finish();
    edits_ = patches;
  }
  if (patches.keep > source_->size()) {
    return Error{ErrorKind::internal, "a patch keeps more bytes than the file has"};
  }
  SIGNCTL_CHECK(file_->resize(patches.keep), "writing the output");
  for (const Move& move : patches.moves) {
    SIGNCTL_CHECK(copy_move(move.source ? *move.source : *source_, move, *file_),
                  "writing the output");
  }
  for (const Patch& patch : patches.patches) {
    SIGNCTL_CHECK(file_->write_at(patch.offset, patch.bytes), "writing the output");
  }
  if (source_->size() > kInline) {
    start([file = file_.get()] { return file->sync(); });
    return ok();
  }
  sync_late_ = true;
  return ok();
}

Result<void> Draft::carry_over_to(Signable& written) {
  if (read_back_.prefix && leave_alone(edits_, read_back_.prefix->length)) {
    if (auto* const hashes = dynamic_cast<crypto::HashesFromStart*>(&written)) {
      hashes->start_from(std::move(*read_back_.prefix));
    }
  }
  auto* const carrier = dynamic_cast<CarriesDigests*>(&written);
  if (carrier == nullptr || !read_back_.signable) {
    return ok();
  }
  SIGNCTL_TRY(
      [[maybe_unused]] const bool some, carrier->carry_over(*read_back_.signable, edits_), "");
  return ok();
}

Result<void> Draft::commit() {
  SIGNCTL_CHECK(sync_late_ ? file_->sync() : wait(), "writing the output to disk");
  SIGNCTL_TRY(const FileIdentity now, source_->identity_now(), "looking at the input once more");
  if (now != source_->identity()) {
    return Error{ErrorKind::input,
                 "the file was changed by somebody else while it was being processed",
                 "nothing was written; wait until the build has finished with it and run again"};
  }
  return file_->commit();
}

}  // namespace signctl::engine
