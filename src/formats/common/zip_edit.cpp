// SPDX-License-Identifier: Apache-2.0
#include "formats/common/zip_edit.hpp"

#include "core/byte_reader.hpp"
#include "core/file.hpp"
#include "formats/common/zip_records.hpp"

#include <algorithm>
#include <utility>

namespace signctl::zip {
namespace {

/// 1980-01-01 00:00:00, the first that DOS knows: date in the upper half.
constexpr std::uint32_t kEpoch = 0x00210000;
/// Content up to this is a patch, more is moved from where it lies.
constexpr std::uint64_t kPatchLimit = std::uint64_t{64} << 10U;

bool is_ascii(const std::string& text) {
  return std::all_of(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

/// Lays out the new file: records in order, then the directory.
class Edit::Writer {
 public:
  Writer(const Edit& edit) : edit_(edit), archive_(edit.archive_) {}

  Result<void> write_records() {
    for (const std::size_t index : archive_.in_file_order()) {
      const Entry& entry = archive_.entries[index];
      const auto fate = edit_.fates_.find(index);
      if (fate == edit_.fates_.end()) {
        new_offsets_[index] = position_;
        data_offsets_[index] = position_ + entry.local_header_size();
        keep(entry);
      } else if (fate->second.replacement) {
        SIGNCTL_TRY(const std::uint32_t time, edit_.dos_time(index), "");
        const auto flags = static_cast<std::uint16_t>(entry.flags & kFlagUtf8);
        SIGNCTL_TRY(replaced_[index],
                    write_entry({entry.name, flags, time, *fate->second.replacement}),
                    "");
        data_offsets_[index] = position_ - fate->second.replacement->packed->size();
      }
    }
    for (const Tail& tail : edit_.tail_) {
      Added added = tail.added;
      if (tail.time_of) {
        SIGNCTL_TRY(added.dos_time, edit_.dos_time(*tail.time_of), "");
      }
      last_record_ = position_;
      SIGNCTL_TRY(Bytes header, write_entry(added), "");
      appended_.push_back(std::move(header));
    }
    return ok();
  }

  Result<void> write_directory() {
    SIGNCTL_TRY(const Bytes old,
                read_bytes(edit_.source_, archive_.directory_offset, archive_.directory_size),
                "");
    Bytes directory;
    std::uint64_t count = appended_.size();
    const auto append = [&directory](const Bytes& header) {
      directory.insert(directory.end(), header.begin(), header.end());
    };
    for (std::size_t index = 0; index < archive_.entries.size(); ++index) {
      const Entry& entry = archive_.entries[index];
      if (const auto it = replaced_.find(index); it != replaced_.end()) {
        append(it->second);
      } else if (const auto kept = new_offsets_.find(index); kept != new_offsets_.end()) {
        const ByteView header = ByteView(old).subspan(
            static_cast<std::size_t>(entry.central_offset - archive_.directory_offset),
            entry.central_size);
        append(relocate_central_header(header, kept->second));
      } else {
        continue;
      }
      ++count;
    }
    std::for_each(appended_.begin(), appended_.end(), append);
    if (count > kMaxEntries || directory.size() > kMaxDirectorySize) {
      return Error{ErrorKind::unsupported, "the archive would have too many entries"};
    }
    const Bytes end = encode_end_records(archive_, count, directory.size(), position_);
    directory.insert(directory.end(), end.begin(), end.end());
    patches_.patches.push_back({position_, std::move(directory)});
    return ok();
  }

  [[nodiscard]] std::uint64_t last_record() const { return last_record_; }
  [[nodiscard]] std::optional<std::uint64_t> data_offset(std::size_t index) const {
    const auto it = data_offsets_.find(index);
    return it == data_offsets_.end() ? std::nullopt : std::optional(it->second);
  }
  [[nodiscard]] PatchSet take() { return std::move(patches_); }

 private:
  /// A record that stays, at its place or a moved one. Neighbours that move alike become one move.
  void keep(const Entry& entry) {
    const std::uint64_t size = entry.end_offset - entry.local_offset;
    if (entry.local_offset == position_ && patches_.keep == position_) {
      patches_.keep += size;
    } else if (!patches_.moves.empty() && !patches_.moves.back().source &&
               patches_.moves.back().from + patches_.moves.back().size == entry.local_offset &&
               patches_.moves.back().to + patches_.moves.back().size == position_) {
      patches_.moves.back().size += size;
    } else {
      patches_.moves.push_back({entry.local_offset, position_, size, nullptr});
    }
    position_ += size;
  }

  /// Writes a record; the result is its central header.
  Result<Bytes> write_entry(const Added& added) {
    if (added.name.size() > kFull16) {
      return Error{ErrorKind::unsupported, "the name of an entry is longer than ZIP allows"};
    }
    Entry entry;
    entry.name = added.name;
    entry.flags = added.flags;
    entry.method = added.content.method;
    entry.crc32 = added.content.crc32;
    entry.packed_size = added.content.packed->size();
    entry.size = added.content.size;
    entry.local_offset = position_;
    Bytes record = encode_local_header(entry, added.dos_time);
    const std::uint64_t data_at = position_ + record.size();
    if (entry.packed_size <= kPatchLimit) {
      SIGNCTL_TRY(const Bytes data, read_bytes(*added.content.packed, 0, entry.packed_size), "");
      record.insert(record.end(), data.begin(), data.end());
    } else {
      patches_.moves.push_back({0, data_at, entry.packed_size, added.content.packed});
    }
    patches_.patches.push_back({position_, std::move(record)});
    position_ = data_at + entry.packed_size;
    return encode_central_header(entry, added.dos_time);
  }

  const Edit& edit_;
  const Archive& archive_;
  PatchSet patches_;
  std::uint64_t position_{0};
  std::uint64_t last_record_{0};
  std::map<std::size_t, std::uint64_t> new_offsets_;
  std::map<std::size_t, std::uint64_t> data_offsets_;
  std::map<std::size_t, Bytes> replaced_;
  std::vector<Bytes> appended_;
};

void Edit::replace(std::size_t index, Content content) {
  fates_[index] = Fate{std::make_shared<Content>(std::move(content))};
}

void Edit::replace_at_end(std::size_t index, Content content) {
  drop(index);
  const Entry& entry = archive_.entries[index];
  const auto flags = static_cast<std::uint16_t>(entry.flags & kFlagUtf8);
  tail_.push_back({{entry.name, flags, kEpoch, std::move(content)}, index});
}

void Edit::append(std::string name, Content content) {
  const std::uint16_t flags = is_ascii(name) ? std::uint16_t{0} : kFlagUtf8;
  tail_.push_back({{std::move(name), flags, kEpoch, std::move(content)}, std::nullopt});
}

Result<std::uint32_t> Edit::dos_time(std::size_t index) const {
  SIGNCTL_TRY(const Bytes header,
              read_bytes(source_, archive_.entries[index].central_offset, kCentralHeaderSize),
              "");
  return ByteReader(header).u32(12).value_or(kEpoch);
}

Result<PatchSet> Edit::finish() const {
  Writer writer(*this);
  SIGNCTL_CHECK(writer.write_records(), "");
  SIGNCTL_CHECK(writer.write_directory(), "");
  return writer.take();
}

Result<std::uint64_t> Edit::last_record_offset() const {
  Writer writer(*this);
  SIGNCTL_CHECK(writer.write_records(), "");
  return writer.last_record();
}

Result<std::uint64_t> Edit::data_offset(std::size_t index) const {
  Writer writer(*this);
  SIGNCTL_CHECK(writer.write_records(), "");
  const auto offset = writer.data_offset(index);
  if (!offset) {
    return Error{ErrorKind::internal, "an entry that is gone has no place"};
  }
  return *offset;
}

}  // namespace signctl::zip
