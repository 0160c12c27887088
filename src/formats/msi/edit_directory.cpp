// SPDX-License-Identifier: Apache-2.0
#include "formats/msi/edit_directory.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace signctl::msi {
namespace {

// Fields of an entry that are written alone (2.6.1): colour and links; start and size.
constexpr std::size_t kLinksBegin = 0x43;
constexpr std::size_t kLinksEnd = 0x50;
constexpr std::size_t kLocationBegin = 0x74;
constexpr std::size_t kLocationEndV3 = 0x7C;
constexpr std::size_t kLocationEndV4 = 0x80;

bool is_free(const Entry& entry) {
  return entry.type == EntryType::free;
}

}  // namespace

bool EditedDirectory::has_free_entry() const {
  return std::any_of(entries_.begin(), entries_.end(), is_free);
}

void EditedDirectory::grow(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    touch(static_cast<std::uint32_t>(entries_.size()), kWhole);
    entries_.emplace_back();
  }
}

Result<std::uint32_t> EditedDirectory::insert(std::u16string_view name) {
  const auto place = std::find_if(entries_.begin(), entries_.end(), is_free);
  if (place == entries_.end()) {
    return Error{ErrorKind::internal, "the directory has no free entry"};
  }
  const auto number = static_cast<std::uint32_t>(place - entries_.begin());
  std::uint32_t parent = 0;
  std::uint32_t* link = &entries_.front().child;
  while (*link != kNoStream) {
    parent = *link;
    const int order = compare_in_tree(name, entries_[parent].name);
    if (order == 0) {
      return Error{ErrorKind::input,
                   "\"" + decode_name(name) + "\" is there and is not a signature"};
    }
    link = order < 0 ? &entries_[parent].left : &entries_[parent].right;
  }
  *link = number;
  touch(parent, kLinks);
  Entry entry;
  entry.name = name;
  entry.type = EntryType::stream;
  const bool below_red = parent != 0 && entries_[parent].colour == Colour::red;
  entry.colour = below_red || parent == 0 ? Colour::black : Colour::red;
  entries_[number] = std::move(entry);
  touch(number, kWhole);
  return number;
}

void EditedDirectory::replace_link(std::uint32_t from, std::uint32_t to) {
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    for (std::uint32_t* link : {&entry.left, &entry.right, &entry.child}) {
      if (*link == from && !is_free(entry)) {
        *link = to;
        touch(i, kLinks);
      }
    }
  }
}

std::uint32_t EditedDirectory::successor_of(std::uint32_t number) {
  const Entry gone = entries_[number];
  if (gone.left == kNoStream || gone.right == kNoStream) {
    const std::uint32_t child = gone.left == kNoStream ? gone.right : gone.left;
    if (child != kNoStream) {
      // It may have come below a red entry.
      entries_[child].colour = Colour::black;
      touch(child, kLinks);
    }
    return child;
  }
  std::uint32_t above = number;
  std::uint32_t next = gone.right;
  while (entries_[next].left != kNoStream) {
    above = next;
    next = entries_[next].left;
  }
  if (above != number) {
    entries_[above].left = entries_[next].right;
    touch(above, kLinks);
    if (entries_[next].right != kNoStream) {
      entries_[entries_[next].right].colour = Colour::black;
      touch(entries_[next].right, kLinks);
    }
    entries_[next].right = gone.right;
  } else if (entries_[next].right != kNoStream) {
    entries_[entries_[next].right].colour = Colour::black;
    touch(entries_[next].right, kLinks);
  }
  entries_[next].left = gone.left;
  entries_[next].colour = gone.colour;
  touch(next, kLinks);
  return next;
}

void EditedDirectory::remove(std::uint32_t number) {
  const std::uint32_t heir = successor_of(number);
  entries_[number] = Entry{};
  touch(number, kWhole);
  replace_link(number, heir);
}

void EditedDirectory::set_location(std::uint32_t number, std::uint32_t start, std::uint64_t size) {
  entries_.at(number).start = start;
  entries_.at(number).size = size;
  touch(number, kLocation);
}

void EditedDirectory::emit(const Header& header,
                           const std::vector<std::uint32_t>& sectors,
                           std::vector<Patch>& patches) const {
  const std::uint64_t per_sector = header.sector_size() / kEntrySize;
  for (const auto& [number, parts] : dirty_) {
    const std::uint64_t at =
        header.offset_of(sectors.at(static_cast<std::size_t>(number / per_sector))) +
        number % per_sector * kEntrySize;
    const Bytes bytes = encode_entry(entries_[number]);
    const auto put = [&, offset = at](std::size_t begin, std::size_t end) {
      patches.push_back({offset + begin,
                         Bytes(bytes.begin() + static_cast<std::ptrdiff_t>(begin),
                               bytes.begin() + static_cast<std::ptrdiff_t>(end))});
    };
    if ((parts & kWhole) != 0) {
      put(0, kEntrySize);
      continue;
    }
    if ((parts & kLinks) != 0) {
      put(kLinksBegin, kLinksEnd);
    }
    if ((parts & kLocation) != 0) {
      put(kLocationBegin, major_version_ == 3 ? kLocationEndV3 : kLocationEndV4);
    }
  }
}

}  // namespace signctl::msi
