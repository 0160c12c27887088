// SPDX-License-Identifier: Apache-2.0
#include "core/wipe.hpp"
#include "support/catch.hpp"

#include <signctl/secret.hpp>

#include <algorithm>
#include <new>
#include <type_traits>

using namespace signctl;

static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_convertible_v<std::string, Secret>);

TEST_CASE("secret: copies and moves keep the text", "[core]") {
  Secret first(std::string("correct horse battery staple"));
  Secret copy = first;
  Secret moved = std::move(first);
  Secret assigned;
  assigned = copy;
  Secret& self = assigned;
  assigned = self;

  CHECK(copy.reveal() == "correct horse battery staple");
  CHECK(moved.reveal() == copy.reveal());
  CHECK(assigned.reveal() == copy.reveal());
  assigned = std::move(moved);
  CHECK(assigned.reveal() == copy.reveal());
  CHECK(Secret().empty());
}

TEST_CASE("secret: a short one leaves nothing inside the object's memory", "[core]") {
  // Short enough to be kept inside the string object itself, where it can be looked for.
  const std::string pin = "1234567";
  alignas(Secret) unsigned char memory[sizeof(Secret)] = {};
  auto* secret = new (static_cast<void*>(memory)) Secret(std::string(pin));
  const auto holds_pin = [&] {
    const auto* begin = static_cast<const unsigned char*>(memory);
    return std::search(begin, begin + sizeof memory, pin.begin(), pin.end()) !=
           begin + sizeof memory;
  };
  REQUIRE(holds_pin());

  SECTION("destroyed") {
    secret->~Secret();
  }
  SECTION("assigned over") {
    *secret = Secret(std::string("9"));
    secret->~Secret();
  }
  CHECK_FALSE(holds_pin());
}

TEST_CASE("wipe: everything up to the capacity becomes zero", "[core]") {
  std::string text(1000, 's');
  text.resize(10);
  const char* const data = text.data();

  wipe_string(text);

  CHECK(text.empty());
  CHECK(text.data() == data);
  CHECK(std::all_of(data, data + text.capacity(), [](char c) { return c == 0; }));
}
