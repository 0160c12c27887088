// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

// A plan divided between several machines that do not talk to each other.
namespace signctl::plan {

/// One of `count` shares, counted from 1.
struct Shard {
  std::size_t index{1};
  std::size_t count{1};
  friend bool operator==(const Shard&, const Shard&) = default;
};

/// Reads "2/5".
///
/// @errors `usage`.
Result<Shard> parse_shard(std::string_view text);

/// A file to be placed.
struct Load {
  std::string key;       ///< Names the file on every machine alike.
  std::string step;      ///< Each step is divided by itself.
  std::uint64_t size{};  ///< Octets.
  std::size_t same_as{
      npos};  ///< Position of the first file with the same bytes, if that is another.
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);
};

/// The shard of each file, 1 to `count`: largest first to the one with the least so far; what is
/// alike in size goes by key, bytewise, and where two shards have the same, to the first. Files
/// with the same bytes stay together, since they share a signature; they count once. The order of
/// `files` means nothing.
[[nodiscard]] std::vector<std::size_t> divide(const std::vector<Load>& files, std::size_t count);

/// Every key, step and size, in an order of its own: equal on machines that see the same plan.
[[nodiscard]] std::string canonical_text(const std::vector<Load>& files);

}  // namespace signctl::plan
