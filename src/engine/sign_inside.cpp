// SPDX-License-Identifier: Apache-2.0
#include "engine/sign_inside.hpp"

#include "core/block_reader.hpp"
#include "core/byte_reader.hpp"
#include "core/path.hpp"
#include "core/text.hpp"
#include "engine/inside.hpp"
#include "engine/run.hpp"

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <utility>

namespace signctl::engine {

namespace {

/// A member that has to change: signed, or packed anew, or both.
struct Need {
  std::size_t index{};
  Member member;
  std::string path;  ///< Within the outermost file.
  bool sign{false};
  std::vector<Need> inside;
};

const std::string& first_unsigned(const std::vector<Need>& needs) {
  const Need& first = needs.front();
  return first.inside.empty() ? first.path : first_unsigned(first.inside);
}

/// Finds out what to do before anything is spent.
class Survey {
 public:
  Result<std::vector<Need>> run(Signable& container,
                                const Format& format,
                                const std::string& path,
                                int depth);

 private:
  Result<void> look_at(Signable& container, Need need, int depth, std::vector<Need>& needs);
  Result<void> take(const Need& need);

  InsideLimits limits_;
  std::uint64_t bytes_{0};
  std::size_t files_{0};
};

Result<void> Survey::take(const Need& need) {
  const auto sum = checked_add(bytes_, need.member.size);
  if (!sum || *sum > limits_.bytes || ++files_ > limits_.files) {
    return Error{ErrorKind::unsupported,
                 "too much is packed: with " + need.path + " it would be more than " +
                     std::to_string(limits_.bytes) + " bytes or " + std::to_string(limits_.files) +
                     " files",
                 "sign the files before they are packed"};
  }
  bytes_ = *sum;
  return ok();
}

Result<void> Survey::look_at(Signable& container, Need need, int depth, std::vector<Need>& needs) {
  SIGNCTL_CHECK(take(need), "");
  SIGNCTL_TRY(const InnerFile inner,
              open_inner(container, need.member, need.index),
              "opening " + need.path);
  if (!inner.signable) {
    return ok();
  }
  SIGNCTL_TRY(need.inside, run(*inner.signable, *inner.format, need.path, depth + 1), "");
  SIGNCTL_TRY(const auto signatures,
              inner.signable->signatures(),
              "reading the signatures of " + need.path);
  if (!signatures.empty() && !need.inside.empty()) {
    return Error{ErrorKind::input,
                 need.path + " is signed, but " + first_unsigned(need.inside) +
                     " inside it is not; packing it anew would break its signature",
                 "take that signature off first, or sign the files before they are packed"};
  }
  need.sign = signatures.empty() && must_be_signed(inner);
  if (need.sign || !need.inside.empty()) {
    needs.push_back(std::move(need));
  }
  return ok();
}

Result<std::vector<Need>> Survey::run(Signable& container,
                                      const Format& format,
                                      const std::string& path,
                                      int depth) {
  std::vector<Need> needs;
  SIGNCTL_TRY(const auto members, container.members(), path);
  if (!members.empty() && depth >= limits_.depth) {
    return Error{
        ErrorKind::unsupported,
        "files are packed into each other more than " + std::to_string(limits_.depth) + " deep",
        "sign the files before they are packed"};
  }
  for (std::size_t i = 0; i < members.size(); ++i) {
    Need need{
        i, members[i], path.empty() ? members[i].path : path + "/" + members[i].path, false, {}};
    SIGNCTL_CHECK(look_at(container, std::move(need), depth, needs), "");
  }
  if (!needs.empty() && !format.capabilities().exchange) {
    return Error{ErrorKind::unsupported,
                 first_unsigned(needs) + " is unsigned, and a file of type " +
                     std::string(format.name()) + " cannot be packed anew",
                 "sign the files before they are packed"};
  }
  return needs;
}

/// Bytes on disk, opened only while they are read: there may be more of them than a process may
/// have open files.
class SpooledSource final : public ByteSource {
 public:
  SpooledSource(std::string path, std::uint64_t size) : path_(std::move(path)), size_(size) {}

  [[nodiscard]] std::uint64_t size() const override { return size_; }

  Result<void> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
    const std::lock_guard lock(mutex_);
    if (!file_) {
      SIGNCTL_TRY(file_, FileSource::open(path_), "");
    }
    const Result<void> done = file_->read_at(offset, out);
    if (offset + out.size() >= size_) {
      file_.reset();
    }
    return done;
  }

 private:
  std::string path_;
  std::uint64_t size_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<FileSource> file_;
};

/// Writes all of `source` at `offset`.
Result<void> copy(const ByteSource& source, const Move& move, AtomicFile& file) {
  Result<void> written = ok();
  BlockVisitor visitor;
  visitor.visit = [&](std::uint64_t offset, ByteView block) {
    written = file.write_at(move.to + (offset - move.from), block);
    return written.has_value();
  };
  const auto end = checked_add(move.from, move.size);
  if (!end || *end > source.size()) {
    return Error{ErrorKind::internal, "a move takes bytes that the file does not have"};
  }
  SIGNCTL_CHECK(for_each_block(source, move.from, *end, visitor), "");
  return written;
}

/// Writes what `input` becomes by the edits.
Result<void> write_edited(const ByteSource& input, const PatchSet& edits, AtomicFile& file) {
  SIGNCTL_CHECK(copy(input, {0, 0, edits.keep}, file), "");
  for (const Move& move : edits.moves) {
    SIGNCTL_CHECK(copy(move.source ? *move.source : input, move, file), "");
  }
  for (const Patch& patch : edits.patches) {
    SIGNCTL_CHECK(file.write_at(patch.offset, patch.bytes), "");
  }
  return ok();
}

/// Does what the survey found.
class Packer {
 public:
  Packer(const FileTask& task, Stages& stages, const SignOpened& sign)
      : task_(task), stages_(stages), sign_(sign) {}

  Result<AtomicFile> repack(Signable& container,
                            const ByteSource& source,
                            const std::vector<Need>& needs);
  std::vector<std::string> paths;

 private:
  Result<AtomicFile> make(Signable& container, const Need& need);
  Result<AtomicFile> spool(const ByteSource& source);
  Result<void> sign(const InnerFile& inner, const Need& need, const AtomicFile& file);

  const FileTask& task_;
  Stages& stages_;
  const SignOpened& sign_;
};

Result<AtomicFile> Packer::spool(const ByteSource& source) {
  SIGNCTL_TRY(AtomicFile file,
              AtomicFile::create(task_.output, Existing::replace, FileAccess::owner_only),
              "unpacking");
  SIGNCTL_CHECK(copy(source, {0, 0, source.size()}, file), "unpacking");
  return file;
}

Result<void> Packer::sign(const InnerFile& inner, const Need& need, const AtomicFile& file) {
  SIGNCTL_TRY(auto source, FileSource::open(file.temporary_path()), "");
  SIGNCTL_TRY(auto signable, inner.format->open_named(source, inner.extension), "");
  OpenedFile opened{std::move(source), inner.format, std::move(signable), inner.extension};
  FileTask task{file.temporary_path(), file.temporary_path(), task_.options};
  task.options.if_signed = IfSigned::fail;
  if (!inner.format->capabilities().page_hashes) {
    task.options.page_hashes = PageHashes::off;
  }
  SIGNCTL_TRY(const FileOutcome outcome, sign_(opened, task, stages_), "");
  if (outcome.state == FileState::refused) {
    const auto objections = outcome.verdict.objections();
    return Error{ErrorKind::gate,
                 "the gate refused " + need.path +
                     (objections.empty() ? "" : ": " + objections.front().message)};
  }
  paths.push_back(need.path);
  return ok();
}

Result<AtomicFile> Packer::make(Signable& container, const Need& need) {
  if (stop_requested()) {
    return Error{ErrorKind::interrupted, "interrupted"};
  }
  SIGNCTL_TRY(const InnerFile inner, open_inner(container, need.member, need.index), "");
  if (!inner.signable) {
    return Error{ErrorKind::input, need.path + " has changed while it was being signed"};
  }
  SIGNCTL_TRY(AtomicFile file,
              need.inside.empty() ? spool(*inner.source)
                                  : repack(*inner.signable, *inner.source, need.inside),
              "");
  if (need.sign) {
    SIGNCTL_CHECK(sign(inner, need, file), "");
  }
  return file;
}

Result<AtomicFile> Packer::repack(Signable& container,
                                  const ByteSource& source,
                                  const std::vector<Need>& needs) {
  std::vector<AtomicFile> files;
  std::vector<Replacement> replacements;
  for (const Need& need : needs) {
    SIGNCTL_TRY(AtomicFile made, make(container, need), "signing " + need.path);
    SIGNCTL_TRY(const auto spooled, FileSource::open(made.temporary_path()), "");
    replacements.push_back(
        {need.index, std::make_shared<SpooledSource>(made.temporary_path(), spooled->size())});
    files.push_back(std::move(made));
  }
  SIGNCTL_TRY(AtomicFile packed, AtomicFile::create(task_.output, Existing::replace), "");
  SIGNCTL_TRY(const PatchSet edits, container.exchange_members(replacements), "packing anew");
  SIGNCTL_CHECK(write_edited(source, edits, packed), "packing anew");
  return packed;
}

/// Whatever is made of `to` later takes its mode from there. Best effort, like all attributes.
void copy_permissions(const std::string& from, const std::string& to) {
  std::error_code ignored;
  const auto status = std::filesystem::status(to_path(from), ignored);
  if (!ignored) {
    std::filesystem::permissions(to_path(to), status.permissions(), ignored);
  }
}

}  // namespace

Result<std::optional<Repacked>> sign_inside(OpenedFile& file,
                                            const FileTask& task,
                                            Stages& stages,
                                            const SignOpened& sign) {
  using Answer = std::optional<Repacked>;
  SIGNCTL_TRY(
      const auto needs, Survey().run(*file.signable, *file.format, "", 0), "looking inside");
  if (needs.empty()) {
    return Answer{};
  }
  Packer packer(task, stages, sign);
  SIGNCTL_TRY(AtomicFile packed, packer.repack(*file.signable, *file.source, needs), "");
  copy_permissions(file.source->path(), packed.temporary_path());
  return Answer{Repacked{std::move(packed), std::move(packer.paths)}};
}

}  // namespace signctl::engine
