// SPDX-License-Identifier: Apache-2.0
#include "core/spooled_bytes.hpp"

#include "core/file.hpp"
#include "core/text.hpp"

namespace signctl {

namespace {

class ScratchSource final : public ByteSource {
 public:
  ScratchSource(std::unique_ptr<ScratchFile> file, std::uint64_t size, std::string what)
      : file_(std::move(file)), size_(size), what_(std::move(what)) {}

  [[nodiscard]] std::uint64_t size() const override { return size_; }

  Result<void> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
    if (offset > size_ || out.size() > size_ - offset) {
      return Error{ErrorKind::input,
                   printable(what_) + ": " + std::to_string(out.size()) + " bytes at offset " +
                       std::to_string(offset) + " reach past the end at " + std::to_string(size_)};
    }
    return file_->read_at(offset, out);
  }

 private:
  std::unique_ptr<ScratchFile> file_;
  std::uint64_t size_;
  std::string what_;
};

}  // namespace

Result<void> SpooledBytes::append(ByteView bytes) {
  if (bytes.size() > limit_ - size_) {
    return Error{ErrorKind::input,
                 printable(what_) + " unpacks to more than the " + std::to_string(limit_) +
                     " bytes that it may have"};
  }
  size_ += bytes.size();
  if (!file_ && size_ > kMostInMemory) {
    SIGNCTL_CHECK(spill(), "unpacking " + printable(what_));
  }
  if (file_) {
    SIGNCTL_CHECK(file_->append(bytes), "unpacking " + printable(what_));
    return ok();
  }
  memory_.insert(memory_.end(), bytes.begin(), bytes.end());
  return ok();
}

Result<void> SpooledBytes::spill() {
  SIGNCTL_TRY(file_, ScratchFile::create(), "");
  SIGNCTL_CHECK(file_->append(memory_), "");
  memory_ = Bytes();
  return ok();
}

std::shared_ptr<const ByteSource> SpooledBytes::finish() && {
  if (file_) {
    return std::make_shared<ScratchSource>(std::move(file_), size_, std::move(what_));
  }
  return std::make_shared<MemorySource>(std::move(memory_));
}

}  // namespace signctl
