// SPDX-License-Identifier: Apache-2.0
// Where the bytes of streams are, and reading them.

#include "formats/msi/compound_file.hpp"

#include <algorithm>
#include <utility>

namespace signctl::msi {

/// The pieces of `size` bytes from `offset` of a chain. They are walked to from the nearest
/// checkpoint.
Result<void> CompoundFile::pieces_of(const Chain& chain,
                                     std::uint64_t offset,
                                     std::uint64_t size,
                                     const std::function<bool(const Piece&)>& visit) const {
  std::uint64_t index = offset / header_.sector_size() / Chain::kCheckpoint;
  if (size == 0) {
    return ok();
  }
  if (index >= chain.checkpoints.size()) {
    return Error{ErrorKind::internal, "reading behind the end of a stream"};
  }
  std::uint64_t sector = chain.checkpoints[index];
  std::uint64_t position = index * Chain::kCheckpoint * header_.sector_size();
  const std::uint64_t end = offset + size;
  while (position < end) {
    const std::uint64_t left = (end - position - 1) / header_.sector_size() + 1;
    SIGNCTL_TRY(const Run run, fat_->run(sector, left), "");
    const std::uint64_t run_end = position + run.count * header_.sector_size();
    const std::uint64_t begin = std::max(position, offset);
    const std::uint64_t stop = std::min(run_end, end);
    if (begin < stop && !visit({header_.offset_of(sector) + (begin - position), stop - begin})) {
      return ok();
    }
    position = run_end;
    sector = run.next;
  }
  return ok();
}

Result<void> CompoundFile::mini_pieces(const Entry& entry,
                                       const std::function<bool(const Piece&)>& visit) const {
  std::uint64_t sector = entry.start;
  bool wanted = true;
  for (std::uint64_t done = 0; done < entry.size && wanted;) {
    const std::uint64_t left = (entry.size - done - 1) / kMiniSectorSize + 1;
    SIGNCTL_TRY(const Run run, minifat_->run(sector, left), "");
    const std::uint64_t size = std::min(run.count * kMiniSectorSize, entry.size - done);
    SIGNCTL_CHECK(pieces_of(mini_stream_,
                            sector * kMiniSectorSize,
                            size,
                            [&](const Piece& piece) { return wanted = visit(piece); }),
                  "");
    done += size;
    sector = run.next;
  }
  return ok();
}

Result<void> CompoundFile::for_each_piece(std::uint32_t number,
                                          const std::function<bool(const Piece&)>& visit) const {
  const Entry& entry = entries_.at(number);
  if (entry.size == 0) {
    return ok();
  }
  Piece joined;
  bool wanted = true;
  const auto join = [&](const Piece& piece) {
    if (joined.size != 0 && joined.offset + joined.size == piece.offset) {
      joined.size += piece.size;
      return true;
    }
    wanted = joined.size == 0 || visit(joined);
    joined = piece;
    return wanted;
  };
  SIGNCTL_CHECK(entry.in_mini_stream() ? mini_pieces(entry, join)
                                       : pieces_of(chains_[number], 0, entry.size, join),
                "");
  if (wanted && joined.size != 0) {
    visit(joined);
  }
  return ok();
}

Result<void> CompoundFile::read_regular(const Chain& chain,
                                        std::uint64_t offset,
                                        std::span<std::uint8_t> out) const {
  Result<void> result;
  std::size_t done = 0;
  SIGNCTL_CHECK(pieces_of(chain,
                          offset,
                          out.size(),
                          [&](const Piece& piece) {
                            const auto part =
                                out.subspan(done, static_cast<std::size_t>(piece.size));
                            result = source_->read_at(piece.offset, part);
                            done += part.size();
                            return result.has_value();
                          }),
                "");
  return result;
}

Result<void> CompoundFile::read(std::uint32_t number,
                                std::uint64_t offset,
                                std::span<std::uint8_t> out) const {
  const Entry& entry = entries_.at(number);
  if (offset > entry.size || out.size() > entry.size - offset) {
    return Error{ErrorKind::input, "reading behind the end of a stream"};
  }
  if (!entry.in_mini_stream()) {
    return read_regular(chains_[number], offset, out);
  }
  // Small: read from its start, and take what is wanted.
  Bytes whole(static_cast<std::size_t>(entry.size));
  Result<void> result;
  std::size_t done = 0;
  SIGNCTL_CHECK(mini_pieces(entry,
                            [&](const Piece& piece) {
                              const auto part = std::span(whole).subspan(
                                  done, static_cast<std::size_t>(piece.size));
                              result = source_->read_at(piece.offset, part);
                              done += part.size();
                              return result.has_value();
                            }),
                "");
  SIGNCTL_CHECK(std::move(result), "");
  std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
  return ok();
}

Result<Bytes> CompoundFile::read_all(std::uint32_t number, std::uint64_t limit) const {
  const std::uint64_t size = entries_.at(number).size;
  if (size > limit) {
    return Error{ErrorKind::input,
                 "stream \"" + decode_name(entries_.at(number).name) + "\" has " +
                     std::to_string(size) + " bytes, more than " + std::to_string(limit)};
  }
  Bytes bytes(static_cast<std::size_t>(size));
  SIGNCTL_CHECK(read(number, 0, bytes),
                "reading stream \"" + decode_name(entries_.at(number).name) + "\"");
  return bytes;
}

namespace {

class StreamSource final : public ByteSource {
 public:
  StreamSource(std::shared_ptr<const CompoundFile> file, std::uint32_t entry)
      : file_(std::move(file)), entry_(entry) {}
  [[nodiscard]] std::uint64_t size() const override { return file_->entries().at(entry_).size; }
  Result<void> read_at(std::uint64_t offset, std::span<std::uint8_t> out) const override {
    return file_->read(entry_, offset, out);
  }

 private:
  std::shared_ptr<const CompoundFile> file_;
  std::uint32_t entry_;
};

}  // namespace

std::shared_ptr<const ByteSource> stream_source(std::shared_ptr<const CompoundFile> file,
                                                std::uint32_t entry) {
  return std::make_shared<StreamSource>(std::move(file), entry);
}

}  // namespace signctl::msi
