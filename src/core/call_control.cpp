// SPDX-License-Identifier: Apache-2.0
#include "core/call_control.hpp"

#include <algorithm>

namespace signctl {

namespace {

thread_local CallScope* t_current = nullptr;

}  // namespace

CallScope::CallScope(CallControl& control) : control_(control), outer_(t_current) {
  t_current = this;
}

CallScope::~CallScope() {
  t_current = outer_;
}

CallScope* CallScope::current() {
  return t_current;
}

void CallScope::on_trouble(const Error& error) {
  ++troubles_;
  control_.on_trouble(error);
}

void CallScope::give_up() {
  troubles_ = std::max(troubles_, control_.rules().attempts);
}

}  // namespace signctl
