// SPDX-License-Identifier: Apache-2.0
#include "engine/draft_reader.hpp"

#include "core/block_reader.hpp"
#include "core/file.hpp"

#include <array>
#include <span>
#include <utility>

namespace signctl::engine {

namespace {

/// The draft, each byte of it to be had as soon as it is in place.
class FillingSource final : public ByteSource {
 public:
  FillingSource(std::shared_ptr<const FileSource> draft, std::shared_ptr<CopyProgress> progress)
      : draft_(std::move(draft)), progress_(std::move(progress)) {}

  [[nodiscard]] std::uint64_t size() const override { return draft_->size(); }

  Result<void> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
    // An end that wrapped around lies outside the file, which the file itself says.
    if (!progress_->wait_for(offset + out.size())) {
      return Error{ErrorKind::output, "the draft was given up"};
    }
    return draft_->read_at(offset, out);
  }

 private:
  std::shared_ptr<const FileSource> draft_;
  std::shared_ptr<CopyProgress> progress_;
};

Result<std::shared_ptr<const ByteSource>> open_filling(
    const std::string& path, const std::shared_ptr<CopyProgress>& progress) {
  if (!progress->wait_for(0)) {
    return Error{ErrorKind::output, "the draft was given up"};
  }
  SIGNCTL_TRY(auto draft, FileSource::open(path), "");
  return std::shared_ptr<const ByteSource>(
      std::make_shared<FillingSource>(std::move(draft), progress));
}

}  // namespace

void CopyProgress::reached(std::uint64_t end) {
  const std::lock_guard lock(mutex_);
  reached_ = end;
  changed_.notify_all();
}

void CopyProgress::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

bool CopyProgress::wait_for(std::uint64_t end) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return stopped_ || (reached_ && *reached_ >= end); });
  return reached_ && *reached_ >= end;
}

ReadTask digest_of(const Format& format, DigestAlg alg) {
  return [&format, alg](const std::shared_ptr<const ByteSource>& draft) {
    ReadBack read;
    auto opened = format.open(draft);
    const std::array algs{alg};
    if (opened && (*opened)->file_digests(algs)) {
      read.signable = std::move(*opened);
    }
    return read;
  };
}

ReadTask hash_of_prefix(DigestAlg alg, std::uint64_t length) {
  return [alg, length](const std::shared_ptr<const ByteSource>& draft) {
    ReadBack read;
    crypto::PrefixHash prefix{alg, length, crypto::Hasher(alg)};
    BlockVisitor visitor;
    visitor.visit = [&prefix](std::uint64_t /*offset*/, ByteView block) {
      prefix.state.update(block);
      return true;
    };
    if (for_each_block(*draft, 0, length, visitor)) {
      read.prefix = std::move(prefix);
    }
    return read;
  };
}

DraftReader::DraftReader(std::string path_utf8,
                         ReadTask task,
                         std::shared_ptr<CopyProgress> progress)
    : progress_(std::move(progress)) {
  thread_ = std::thread([this, path = std::move(path_utf8), task = std::move(task)] {
    if (const auto draft = open_filling(path, progress_)) {
      read_ = task(*draft);
    }
  });
}

DraftReader::~DraftReader() {
  if (thread_.joinable()) {
    progress_->stop();
    thread_.join();
  }
}

ReadBack DraftReader::finish() {
  if (thread_.joinable()) {
    thread_.join();
  }
  return std::move(read_);
}

}  // namespace signctl::engine
