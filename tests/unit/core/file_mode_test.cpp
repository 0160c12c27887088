// SPDX-License-Identifier: Apache-2.0
#include "core/file_mode_posix.hpp"
#include "support/catch.hpp"

using signctl::KeptOwner;
using signctl::mode_of_successor;

TEST_CASE("file mode: with its owners a file keeps its mode", "[core]") {
  CHECK(mode_of_successor(06755, KeptOwner::user_and_group) == 06755);
}

TEST_CASE("file mode: set-id bits go with the user", "[core]") {
  CHECK(mode_of_successor(06750, KeptOwner::group) == 0750);
  CHECK(mode_of_successor(06755, KeptOwner::nothing) == 0755);
}

TEST_CASE("file mode: another group may do what everybody may, and no more", "[core]") {
  struct Row {
    mode_t before;
    mode_t after;
  };
  const auto row = GENERATE(values<Row>({{0644, 0644},
                                         {0664, 0644},
                                         {0775, 0755},
                                         {0640, 0600},
                                         {0770, 0700},
                                         {01777, 01777},
                                         // What the group was denied, the other one is denied too.
                                         {0604, 0604}}));

  CHECK(mode_of_successor(row.before, KeptOwner::nothing) == row.after);
}
