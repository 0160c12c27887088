// SPDX-License-Identifier: Apache-2.0
#include "plan/shard.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <numeric>
#include <optional>
#include <tuple>

namespace signctl::plan {

namespace {

std::optional<std::size_t> whole_number(std::string_view text) {
  constexpr std::size_t kMost = 1000;
  std::size_t value = 0;
  const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool read = code == std::errc{} && stop == text.data() + text.size();
  return read && value >= 1 && value <= kMost ? std::optional(value) : std::nullopt;
}

}  // namespace

Result<Shard> parse_shard(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash != std::string_view::npos) {
    const auto index = whole_number(text.substr(0, slash));
    const auto count = whole_number(text.substr(slash + 1));
    if (index && count && *index <= *count) {
      return Shard{*index, *count};
    }
  }
  return Error{
      ErrorKind::usage,
      "\"" + printable(text) + "\" is no share of a plan",
      "say --shard I/N with I from 1 to N, and N up to 1000; where jobs are counted from 0, "
      "add one"};
}

std::vector<std::size_t> divide(const std::vector<Load>& files, std::size_t count) {
  std::vector<std::size_t> order(files.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tie(files[b].size, files[a].key) < std::tie(files[a].size, files[b].key);
  });
  std::vector<std::size_t> first(files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    first[i] = files[i].same_as == Load::npos ? i : first[files[i].same_as];
  }
  std::map<std::string, std::vector<std::uint64_t>> sums;
  std::vector<std::size_t> shard_of_group(files.size(), 0);
  std::vector<std::size_t> shards(files.size(), 0);
  for (const std::size_t i : order) {
    std::size_t& shard = shard_of_group[first[i]];
    if (shard == 0) {
      auto& sum = sums.try_emplace(files[i].step, count, 0).first->second;
      const auto least = std::min_element(sum.begin(), sum.end());
      // An empty file is work as well.
      *least += std::max<std::uint64_t>(files[i].size, 1);
      shard = static_cast<std::size_t>(least - sum.begin()) + 1;
    }
    shards[i] = shard;
  }
  return shards;
}

std::string canonical_text(const std::vector<Load>& files) {
  std::vector<std::string> lines;
  lines.reserve(files.size());
  for (const Load& file : files) {
    lines.push_back(file.key + '\0' + file.step + '\0' + std::to_string(file.size) + '\n');
  }
  std::sort(lines.begin(), lines.end());
  return join(lines, "");
}

}  // namespace signctl::plan
