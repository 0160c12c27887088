// SPDX-License-Identifier: Apache-2.0
#include "plan/duplicates.hpp"

#include "support/catch.hpp"
#include "support/paths.hpp"

namespace signctl::plan {

TEST_CASE("duplicates: files with the same bytes are found, others are not", "[plan]") {
  const test::TemporaryFolder folder;
  test::spill(folder.file("a"), Bytes(300'000, 1));
  test::spill(folder.file("b"), Bytes(300'000, 2));
  test::spill(folder.file("c"), Bytes(300'000, 1));
  test::spill(folder.file("d"), Bytes(300'001, 1));
  test::spill(folder.file("empty"), Bytes());
  test::spill(folder.file("void"), Bytes());
  const std::vector<std::string> paths{folder.file("a"),
                                       folder.file("b"),
                                       folder.file("missing"),
                                       folder.file("c"),
                                       folder.file("d"),
                                       folder.file("empty"),
                                       folder.file("void"),
                                       ""};

  const auto first = find_duplicates(paths);

  CHECK(first == std::vector<std::string>{"", "", "", folder.file("a"), "", "", "", ""});
}

}  // namespace signctl::plan
