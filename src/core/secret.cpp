// SPDX-License-Identifier: Apache-2.0
#include "core/wipe.hpp"

#include <signctl/secret.hpp>

namespace signctl {

Secret::Secret(std::string value) : value_(std::move(value)) {
  // A short text is kept inside the string object, and moving leaves a copy behind there.
  wipe_string(value);
}

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
  wipe_string(value_);
}

}  // namespace signctl
