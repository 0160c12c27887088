// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/error.hpp>

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace signctl {

/// A value, or the Error that prevented it. Dropping one on the floor does not compile.
/// Method names are those of std::expected (C++23), so that a later swap is mechanical.
/// value() on a failure, or error() on a success, is a programmer error and terminates.
template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  // Implicit on purpose: `return bytes;` and `return Error{...};` are how functions end.
  // NOLINTBEGIN(google-explicit-constructor)
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  // NOLINTEND(google-explicit-constructor)

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  // NOLINTBEGIN(bugprone-exception-escape): asking the wrong one is a bug, and terminates.
  [[nodiscard]] T& value() & noexcept { return std::get<0>(state_); }
  [[nodiscard]] const T& value() const& noexcept { return std::get<0>(state_); }
  [[nodiscard]] T&& value() && noexcept { return std::get<0>(std::move(state_)); }

  [[nodiscard]] T& operator*() & noexcept { return value(); }
  [[nodiscard]] const T& operator*() const& noexcept { return value(); }
  [[nodiscard]] T&& operator*() && noexcept { return std::move(*this).value(); }
  [[nodiscard]] T* operator->() noexcept { return &value(); }
  [[nodiscard]] const T* operator->() const noexcept { return &value(); }

  [[nodiscard]] Error& error() & noexcept { return std::get<1>(state_); }
  [[nodiscard]] const Error& error() const& noexcept { return std::get<1>(state_); }
  [[nodiscard]] Error&& error() && noexcept { return std::get<1>(std::move(state_)); }
  // NOLINTEND(bugprone-exception-escape)

  template <class U>
  [[nodiscard]] T value_or(U&& fallback) const& {
    return has_value() ? value() : static_cast<T>(std::forward<U>(fallback));
  }

 private:
  std::variant<T, Error> state_;
};

/// Success without a value, or the Error that prevented it.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): as above
  Result(Error error) : error_(std::move(error)) {}

  [[nodiscard]] bool has_value() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }

  // NOLINTBEGIN(bugprone-unchecked-optional-access,bugprone-exception-escape): asking a success for
  // its error is a bug.
  [[nodiscard]] const Error& error() const& noexcept { return error_.value(); }
  [[nodiscard]] Error& error() & noexcept { return error_.value(); }
  [[nodiscard]] Error&& error() && noexcept { return std::move(error_).value(); }
  // NOLINTEND(bugprone-unchecked-optional-access,bugprone-exception-escape)

 private:
  std::optional<Error> error_;
};

/// Either kind of success of a Result<void>, for `return ok();`.
[[nodiscard]] inline Result<void> ok() {
  return {};
}

}  // namespace signctl

#define SIGNCTL_CONCAT_INNER(a, b) a##b
#define SIGNCTL_CONCAT(a, b) SIGNCTL_CONCAT_INNER(a, b)

// NOLINTBEGIN(bugprone-macro-parentheses): `decl` is a declaration.

/// Declares `decl` from the value of `expr`, or returns its error from the enclosing function
/// with `step` added to the trail ("" adds nothing). Several statements: use inside braces.
#define SIGNCTL_TRY(decl, expr, step)                                              \
  auto SIGNCTL_CONCAT(signctl_try_, __LINE__) = (expr);                            \
  if (!SIGNCTL_CONCAT(signctl_try_, __LINE__)) {                                   \
    return std::move(SIGNCTL_CONCAT(signctl_try_, __LINE__)).error().within(step); \
  }                                                                                \
  decl = std::move(SIGNCTL_CONCAT(signctl_try_, __LINE__)).value()

/// SIGNCTL_TRY for a Result<void>: returns its error, or goes on.
#define SIGNCTL_CHECK(expr, step)                           \
  do {                                                      \
    auto signctl_check = (expr);                            \
    if (!signctl_check) {                                   \
      return std::move(signctl_check).error().within(step); \
    }                                                       \
  } while (false)

// NOLINTEND(bugprone-macro-parentheses)
