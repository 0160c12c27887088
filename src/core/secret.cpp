// SPDX-License-Identifier: Apache-2.0
#include <signctl/secret.hpp>

namespace signctl {

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    wipe();
    value_ = other.value_;
  }
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    wipe();
    value_ = std::exchange(other.value_, {});
  }
  return *this;
}

Secret::~Secret() {
  wipe();
}

void Secret::wipe() noexcept {
  // Through a volatile pointer, so that the compiler may not drop stores to memory about to die.
  volatile char* octet = value_.data();
  for (std::size_t left = value_.capacity(); left != 0; --left) {
    *octet++ = 0;
  }
  value_.clear();
}

}  // namespace signctl
