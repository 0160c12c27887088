// SPDX-License-Identifier: Apache-2.0
#include "formats/msi/sector_table.hpp"

#include "core/byte_reader.hpp"
#include "core/file.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace signctl::msi {
namespace {

constexpr std::size_t kSlots = 128;

}  // namespace

SectorTable::SectorTable(std::shared_ptr<const ByteSource> source,
                         const Header& header,
                         std::vector<std::uint32_t> pages)
    : source_(std::move(source)),
      header_(header),
      per_page_(header.per_sector()),
      pages_(std::move(pages)),
      slots_(kSlots) {}

Result<std::vector<std::uint32_t>> SectorTable::page(std::size_t index) const {
  const std::uint64_t offset = header_.offset_of(pages_.at(index));
  // The last sector of a file may be cut short; what is missing reads as zeros.
  const std::uint64_t there =
      offset < source_->size() ? std::min(header_.sector_size(), source_->size() - offset) : 0;
  SIGNCTL_TRY(const Bytes bytes, read_bytes(*source_, offset, there), "reading a sector table");
  const ByteReader reader(bytes);
  std::vector<std::uint32_t> entries(per_page_);
  for (std::size_t i = 0; i < per_page_; ++i) {
    entries[i] = reader.u32(4 * i).value_or(0);
  }
  return entries;
}

Result<const std::vector<std::uint32_t>*> SectorTable::load(std::uint64_t page_number) const {
  Slot& slot = slots_[page_number % kSlots];
  if (slot.page != page_number) {
    SIGNCTL_TRY(slot.entries, page(static_cast<std::size_t>(page_number)), "");
    slot.page = page_number;
  }
  return &slot.entries;
}

Result<std::uint32_t> SectorTable::at(std::uint64_t sector) const {
  SIGNCTL_TRY(const Run found, run(sector, 1), "");
  return found.next;
}

Result<Run> SectorTable::run(std::uint64_t first, std::uint64_t limit) const {
  const std::lock_guard lock(mutex_);
  Run run{0, 0};
  std::uint64_t sector = first;
  const std::vector<std::uint32_t>* entries = nullptr;
  while (true) {
    if (sector >= size()) {
      return Error{ErrorKind::input,
                   "a chain leads to sector " + std::to_string(sector) +
                       ", which the allocation table does not know"};
    }
    if (entries == nullptr || sector % per_page_ == 0) {
      SIGNCTL_TRY(entries, load(sector / per_page_), "");
    }
    run.next = (*entries)[sector % per_page_];
    ++run.count;
    if (run.count >= limit || run.next != sector + 1) {
      return run;
    }
    sector = run.next;
  }
}

}  // namespace signctl::msi
