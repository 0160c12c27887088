// SPDX-License-Identifier: Apache-2.0
#include "plan/duplicates.hpp"

#include "core/file.hpp"
#include "core/path.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <span>

namespace signctl::plan {

namespace {

constexpr std::uint64_t kBlock = std::uint64_t{256} << 10U;

bool is_same(const FileSource& a, const FileSource& b) {
  Bytes left(static_cast<std::size_t>(std::min(kBlock, a.size())));
  Bytes right(left.size());
  for (std::uint64_t done = 0; done < a.size(); done += left.size()) {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(left.size(), a.size() - done));
    const auto ours = std::span(left).first(size);
    const auto theirs = std::span(right).first(size);
    if (!a.read_at(done, ours) || !b.read_at(done, theirs) ||
        !std::equal(ours.begin(), ours.end(), theirs.begin())) {
      return false;
    }
  }
  return true;
}

/// Tells contents apart quickly, not safely: equals are compared afterwards (FNV-1a).
std::optional<std::uint64_t> checksum(const std::string& path) {
  const auto source = FileSource::open(path);
  if (!source) {
    return std::nullopt;
  }
  std::uint64_t sum = 0xcbf29ce484222325U;
  Bytes block(static_cast<std::size_t>(std::min(kBlock, (*source)->size())));
  for (std::uint64_t done = 0; done < (*source)->size(); done += block.size()) {
    const auto size =
        static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), (*source)->size() - done));
    const auto part = std::span(block).first(size);
    if (!(*source)->read_at(done, part)) {
      return std::nullopt;
    }
    for (const std::uint8_t octet : part) {
      sum = (sum ^ octet) * 0x100000001b3U;
    }
  }
  return sum;
}

bool is_same(const std::string& a, const std::string& b) {
  const auto left = FileSource::open(a);
  const auto right = FileSource::open(b);
  return left && right && (*left)->size() == (*right)->size() && is_same(**left, **right);
}

/// Finds the duplicates among files of one size.
void compare(const std::vector<std::string>& paths,
             const std::vector<std::size_t>& members,
             std::vector<std::string>& first) {
  std::map<std::uint64_t, std::vector<std::size_t>> by_sum;
  for (const std::size_t member : members) {
    const auto sum = checksum(paths[member]);
    if (!sum) {
      continue;
    }
    std::vector<std::size_t>& distinct = by_sum[*sum];
    const auto same = std::find_if(distinct.begin(), distinct.end(), [&](std::size_t earlier) {
      return is_same(paths[earlier], paths[member]);
    });
    if (same == distinct.end()) {
      distinct.push_back(member);
    } else {
      first[member] = paths[*same];
    }
  }
}

}  // namespace

std::vector<std::string> find_duplicates(const std::vector<std::string>& paths_utf8) {
  std::map<std::uintmax_t, std::vector<std::size_t>> by_size;
  std::vector<std::string> first(paths_utf8.size());
  for (std::size_t i = 0; i < paths_utf8.size(); ++i) {
    std::error_code failure;
    const auto size = std::filesystem::file_size(to_path(paths_utf8[i]), failure);
    if (!failure && size > 0) {
      by_size[size].push_back(i);
    }
  }
  for (const auto& [size, members] : by_size) {
    if (members.size() > 1) {
      compare(paths_utf8, members, first);
    }
  }
  return first;
}

}  // namespace signctl::plan
