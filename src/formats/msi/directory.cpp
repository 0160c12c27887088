// SPDX-License-Identifier: Apache-2.0
#include "formats/msi/directory.hpp"

#include "core/byte_reader.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace signctl::msi {
namespace {

constexpr std::size_t kNameField = 64;
constexpr std::size_t kNameSizeAt = 0x40;
constexpr std::size_t kTypeAt = 0x42;
constexpr std::size_t kColourAt = 0x43;
constexpr std::size_t kLeftAt = 0x44;
constexpr std::size_t kRightAt = 0x48;
constexpr std::size_t kChildAt = 0x4C;
constexpr std::size_t kClassAt = 0x50;
constexpr std::size_t kStateAt = 0x60;
constexpr std::size_t kCreatedAt = 0x64;
constexpr std::size_t kModifiedAt = 0x6C;
constexpr std::size_t kStartAt = 0x74;
constexpr std::size_t kSizeAt = 0x78;

Error malformed(std::string message) {
  return {ErrorKind::input, "the directory is malformed: " + std::move(message)};
}

/// Upper case by the simple mapping, for ASCII and Latin-1 (2.6.4).
char16_t upper(char16_t unit) {
  const bool ascii = unit >= u'a' && unit <= u'z';
  const bool latin = unit >= 0xE0 && unit <= 0xFE && unit != 0xF7;
  return ascii || latin ? static_cast<char16_t>(unit - 0x20) : unit;
}

Result<std::u16string> parse_name(const ByteReader& reader) {
  const std::uint16_t size = reader.u16(kNameSizeAt).value_or(0);
  if (size < 2 || size > kNameField || size % 2 != 0) {
    return malformed("a name of " + std::to_string(size) + " bytes");
  }
  std::u16string name;
  for (std::size_t i = 0; i + 2 < size; i += 2) {
    name.push_back(static_cast<char16_t>(reader.u16(i).value_or(0)));
  }
  if (name.find(u'\0') != std::u16string::npos || reader.u16(size - 2U) != 0) {
    return malformed("a name does not end where its length says");
  }
  return name;
}

bool is_known(std::uint8_t type) {
  return type == 0 || type == 1 || type == 2 || type == 5;
}

}  // namespace

Result<Entry> parse_entry(ByteView bytes, std::uint16_t major_version) {
  const ByteReader reader(bytes);
  const std::uint8_t type = reader.u8(kTypeAt).value_or(0);
  if (!is_known(type)) {
    return malformed("an entry of type " + std::to_string(type));
  }
  Entry entry;
  entry.type = static_cast<EntryType>(type);
  if (entry.type == EntryType::free) {
    return entry;
  }
  SIGNCTL_TRY(entry.name, parse_name(reader), "");
  entry.colour = reader.u8(kColourAt) == 0 ? Colour::red : Colour::black;
  entry.left = reader.u32(kLeftAt).value_or(kNoStream);
  entry.right = reader.u32(kRightAt).value_or(kNoStream);
  entry.child = reader.u32(kChildAt).value_or(kNoStream);
  const auto class_id = reader.slice(kClassAt, entry.class_id.size()).value_or(ByteView{});
  std::copy(class_id.begin(), class_id.end(), entry.class_id.begin());
  entry.state_bits = reader.u32(kStateAt).value_or(0);
  entry.created = reader.u64(kCreatedAt).value_or(0);
  entry.modified = reader.u64(kModifiedAt).value_or(0);
  entry.start = reader.u32(kStartAt).value_or(0);
  entry.size = reader.u64(kSizeAt).value_or(0);
  if (major_version == 3) {
    // Old writers left the high half uninitialised.
    entry.size &= UINT32_MAX;
  }
  return entry;
}

Bytes encode_entry(const Entry& entry) {
  Bytes bytes = name_bytes(entry.name);
  const bool free = entry.type == EntryType::free;
  const std::size_t name_size = free ? 0 : bytes.size() + 2;
  bytes.resize(kNameField);
  put_le(bytes, static_cast<std::uint16_t>(name_size));
  put_le(bytes, static_cast<std::uint8_t>(entry.type));
  put_le(bytes, static_cast<std::uint8_t>(entry.colour));
  put_le(bytes, entry.left);
  put_le(bytes, entry.right);
  put_le(bytes, entry.child);
  bytes.insert(bytes.end(), entry.class_id.begin(), entry.class_id.end());
  put_le(bytes, entry.state_bits);
  put_le(bytes, entry.created);
  put_le(bytes, entry.modified);
  put_le(bytes, entry.start);
  put_le(bytes, entry.size);
  return bytes;
}

Bytes name_bytes(std::u16string_view name) {
  Bytes bytes;
  for (const char16_t unit : name) {
    put_le(bytes, static_cast<std::uint16_t>(unit));
  }
  return bytes;
}

int compare_in_tree(std::u16string_view a, std::u16string_view b) {
  if (a.size() != b.size()) {
    return a.size() < b.size() ? -1 : 1;
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    const char16_t x = upper(a[i]);
    const char16_t y = upper(b[i]);
    if (x != y) {
      return x < y ? -1 : 1;
    }
  }
  return 0;
}

bool order_is_certain(std::u16string_view name) {
  // Scripts with case, as far as they are not mapped above, lie between these.
  return std::none_of(name.begin(), name.end(), [](char16_t unit) {
    return (unit >= 0x80 && unit < 0x2E80) || (unit >= 0xA640 && unit < 0xAC00) || unit >= 0xFB00;
  });
}

bool hashed_before(std::u16string_view a, std::u16string_view b) {
  const auto swapped = [](char16_t unit) {
    return static_cast<char16_t>((unit << 8U) | (unit >> 8U));
  };
  return std::lexicographical_compare(
      a.begin(), a.end(), b.begin(), b.end(), [&](char16_t x, char16_t y) {
        return swapped(x) < swapped(y);
      });
}

namespace {

constexpr std::size_t kMaxDepth = 32;

/// Walks the links without recursion: a hostile tree is as deep as it is large.
class TreeWalk {
 public:
  explicit TreeWalk(const std::vector<Entry>& entries) : entries_(entries) {
    seen_.resize(entries.size());
  }

  Result<Tree> run() {
    if (entries_.empty() || entries_.front().type != EntryType::root) {
      return malformed("it does not begin with the root entry");
    }
    seen_.front() = true;
    tree_.storages.push_back({0, {}, {}});
    depths_.push_back(0);
    for (std::size_t i = 0; i < tree_.storages.size(); ++i) {
      SIGNCTL_CHECK(walk_storage(i), "");
    }
    tree_.reached = static_cast<std::size_t>(std::count(seen_.begin(), seen_.end(), true));
    return std::move(tree_);
  }

 private:
  Result<void> push(std::uint32_t number, std::vector<std::uint32_t>& stack) {
    if (number == kNoStream) {
      return ok();
    }
    if (number >= entries_.size() || entries_[number].type == EntryType::free) {
      return malformed("a link leads to entry " + std::to_string(number) + ", which is not there");
    }
    if (seen_[number]) {
      return malformed("entry " + std::to_string(number) + " is linked twice");
    }
    if (entries_[number].type == EntryType::root) {
      return malformed("a second root entry");
    }
    seen_[number] = true;
    stack.push_back(number);
    return ok();
  }

  /// All siblings below the storage, in the order of the links.
  Result<std::vector<std::uint32_t>> in_order(std::uint32_t top) {
    std::vector<std::uint32_t> sorted;
    std::vector<std::uint32_t> stack;
    SIGNCTL_CHECK(push(top, stack), "");
    if (stack.empty()) {
      return sorted;
    }
    SIGNCTL_CHECK(descend(stack), "");
    while (!stack.empty()) {
      const std::uint32_t number = stack.back();
      stack.pop_back();
      sorted.push_back(number);
      if (entries_[number].right != kNoStream) {
        SIGNCTL_CHECK(push(entries_[number].right, stack), "");
        SIGNCTL_CHECK(descend(stack), "");
      }
    }
    return sorted;
  }

  Result<void> descend(std::vector<std::uint32_t>& stack) {
    while (entries_[stack.back()].left != kNoStream) {
      SIGNCTL_CHECK(push(entries_[stack.back()].left, stack), "");
    }
    return ok();
  }

  void check_order(const std::vector<std::uint32_t>& sorted) {
    for (std::size_t i = 1; i < sorted.size(); ++i) {
      const std::u16string& before = entries_[sorted[i - 1]].name;
      const std::u16string& after = entries_[sorted[i]].name;
      if (order_is_certain(before) && order_is_certain(after) &&
          compare_in_tree(before, after) >= 0) {
        tree_.ordered = false;
      }
    }
  }

  Result<void> walk_storage(std::size_t index) {
    SIGNCTL_TRY(auto children, in_order(entries_[tree_.storages[index].entry].child), "");
    check_order(children);
    std::sort(children.begin(), children.end(), [this](std::uint32_t a, std::uint32_t b) {
      return hashed_before(entries_[a].name, entries_[b].name);
    });
    const std::string path = tree_.storages[index].path;
    for (std::size_t i = 0; i < children.size(); ++i) {
      const Entry& entry = entries_[children[i]];
      if (i > 0 && entry.name == entries_[children[i - 1]].name) {
        return malformed("\"" + path + decode_name(entry.name) + "\" is there twice");
      }
      if (entry.type == EntryType::storage) {
        if (depths_[index] >= kMaxDepth) {
          return malformed("storages are nested too deeply");
        }
        tree_.storages.push_back({children[i], {}, path + decode_name(entry.name) + "/"});
        depths_.push_back(depths_[index] + 1);
      }
    }
    tree_.storages[index].children = std::move(children);
    return ok();
  }

  const std::vector<Entry>& entries_;
  std::vector<bool> seen_;
  std::vector<std::size_t> depths_;
  Tree tree_;
};

}  // namespace

Result<Tree> walk_tree(const std::vector<Entry>& entries) {
  return TreeWalk(entries).run();
}

}  // namespace signctl::msi
