// SPDX-License-Identifier: Apache-2.0
#include "plan/shard.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace signctl;
using plan::Load;

namespace {

std::vector<std::uint64_t> weights(const std::vector<Load>& files,
                                   const std::vector<std::size_t>& shards,
                                   std::size_t count) {
  std::vector<std::uint64_t> sums(count, 0);
  for (std::size_t i = 0; i < files.size(); ++i) {
    sums[shards[i] - 1] += files[i].same_as == Load::npos ? files[i].size : 0;
  }
  return sums;
}

}  // namespace

TEST_CASE("shares are read as I/N", "[shard]") {
  CHECK(*plan::parse_shard("1/1") == plan::Shard{1, 1});
  CHECK(*plan::parse_shard("3/12") == plan::Shard{3, 12});
  CHECK(*plan::parse_shard("1000/1000") == plan::Shard{1000, 1000});
  for (const char* wrong : {"",
                            "/",
                            "1",
                            "0/2",
                            "3/2",
                            "1/0",
                            "a/2",
                            "1/b",
                            "1/2/3",
                            "-1/2",
                            " 1/2",
                            "1/2 ",
                            "1/1001",
                            "99999999999999999999/99999999999999999999"}) {
    INFO(wrong);
    const auto read = plan::parse_shard(wrong);
    REQUIRE_FALSE(read);
    CHECK(read.error().kind == ErrorKind::usage);
  }
}

TEST_CASE("a plan is divided largest first, to the share with the least", "[shard]") {
  const std::vector<Load> files{
      {"a", "", 10}, {"b", "", 60}, {"c", "", 20}, {"d", "", 30}, {"e", "", 30}};
  // b to 1, d to 2, e to 3, c to 2 (30 is there as in 3, 2 is first), a to 3.
  CHECK(plan::divide(files, 3) == std::vector<std::size_t>{3, 1, 2, 2, 3});
  CHECK(plan::divide(files, 1) == std::vector<std::size_t>(5, 1));
  CHECK(plan::divide({}, 4).empty());
}

TEST_CASE("the order of the files means nothing, ties go by key", "[shard]") {
  std::vector<Load> files;
  for (int i = 0; i < 50; ++i) {
    files.push_back({"file" + std::to_string(i),
                     i % 3 == 0 ? "one" : "two",
                     static_cast<std::uint64_t>(i % 7)});
  }
  const auto expected = plan::divide(files, 4);
  const std::string text = plan::canonical_text(files);
  std::vector<std::size_t> order(files.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::shuffle(order.begin(), order.end(), std::mt19937(7));
  std::vector<Load> shuffled;
  for (const std::size_t i : order) {
    shuffled.push_back(files[i]);
  }
  const auto shards = plan::divide(shuffled, 4);
  for (std::size_t i = 0; i < order.size(); ++i) {
    CHECK(shards[i] == expected[order[i]]);
  }
  CHECK(plan::canonical_text(shuffled) == text);
  files[3].size += 1;
  CHECK(plan::canonical_text(files) != text);
}

TEST_CASE("each step is divided by itself", "[shard]") {
  const std::vector<Load> files{
      {"big", "one", 1000}, {"x", "two", 5}, {"y", "two", 5}, {"z", "two", 5}};
  const auto shards = plan::divide(files, 3);
  CHECK(std::set<std::size_t>(shards.begin() + 1, shards.end()).size() == 3);
}

TEST_CASE("files with the same bytes stay together and count once", "[shard]") {
  std::vector<Load> files{
      {"a", "", 50}, {"b", "", 50, 0}, {"c", "", 50, 0}, {"d", "", 40}, {"e", "two", 50, 0}};
  const auto shards = plan::divide(files, 2);
  CHECK(shards[1] == shards[0]);
  CHECK(shards[2] == shards[0]);
  CHECK(shards[4] == shards[0]);
  CHECK(shards[3] != shards[0]);
}

TEST_CASE("shares weigh the same but for one file", "[shard]") {
  std::mt19937 random(3);
  for (std::size_t count = 1; count <= 9; ++count) {
    std::vector<Load> files;
    std::uint64_t largest = 0;
    for (int i = 0; i < 200; ++i) {
      files.push_back({"f" + std::to_string(i), "", random() % 100000});
      largest = std::max(largest, files.back().size);
    }
    const auto sums = weights(files, plan::divide(files, count), count);
    const auto [least, most] = std::minmax_element(sums.begin(), sums.end());
    CHECK(*most - *least <= largest);
  }
}
