// Result<T>: a value or an Error, with std::expected's names. TRY: take the value or return the
// error.
//
// A refused, parked or failed call is a value that somebody must hear, so a Result cannot be
// dropped silently and every Error names the thing, the reason and, in `details`, the way out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/check.h"
#include "base/describe.h"

namespace alos::base {

// The closed set of ways a call can end other than well. The number is the CLI's exit code, the
// name is the API's problem type and the JIT exception. Numbers never change.
enum class Code : unsigned char {
  denied = 1,  // authority said no
  parked = 2,  // must wait; not an end: the same call goes on later
  not_found = 3,
  exists = 4,
  invalid = 5,    // the request itself is wrong
  conflict = 6,   // the world is not as the request assumed
  exhausted = 7,  // a budget, a limit or a disk is used up
  timeout = 8,
  cancelled = 9,
  unavailable = 10,       // a provider or the store cannot serve now; trying again may help
  outcome_unknown = 11,   // an effect was begun and nobody can say whether it happened
  nondeterministic = 12,  // a replayed call asked for something else than before
  corrupt = 13,           // stored data is not what was written
  internal = 14,
};

constexpr std::string_view enum_text(Code*) {
  return "denied, parked, not_found, exists, invalid, conflict, exhausted, timeout, cancelled, "
         "unavailable, "
         "outcome_unknown, nondeterministic, corrupt, internal";
}
constexpr int enum_first(Code*) { return 1; }

struct Error {
  Code code = Code::internal;
  std::string what;     // the thing and the reason, in one sentence
  std::string details;  // the way out, where there is one
  ALOS_FIELDS(code, what, details)

  bool operator==(const Error&) const = default;
};

class [[nodiscard]] Unexpected {
 public:
  explicit Unexpected(Error error) : error_(std::move(error)) {}
  Error& error() { return error_; }

 private:
  Error error_;
};

inline Unexpected fail(Code code, std::string what, std::string details = {}) {
  return Unexpected(Error{code, std::move(what), std::move(details)});
}

template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value)  // NOLINT(google-explicit-constructor)
      : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Unexpected failure)  // NOLINT(google-explicit-constructor)
      : state_(std::in_place_index<1>, std::move(failure.error())) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return held(), *std::get_if<0>(&state_); }
  const T& value() const& { return held(), *std::get_if<0>(&state_); }
  T&& value() && { return held(), std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & { return *std::get_if<1>(&state_); }
  const Error& error() const& { return *std::get_if<1>(&state_); }
  Error&& error() && { return std::move(*std::get_if<1>(&state_)); }

 private:
  void held() const { CHECK(has_value()); }

  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Unexpected failure)  // NOLINT(google-explicit-constructor)
      : error_(std::move(failure.error())) {}

  bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }
  void value() const { CHECK(has_value()); }

  Error& error() & { return *error_; }
  const Error& error() const& { return *error_; }
  Error&& error() && { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

}  // namespace alos::base

// Takes the value out of a Result, or returns its error from the calling function. May be nested.
#define TRY(...) ALOS_TRY_AS(ALOS_TRY_NAME(__COUNTER__), __VA_ARGS__)
#define ALOS_TRY_NAME(number) ALOS_TRY_PASTE(number)
#define ALOS_TRY_PASTE(number) try_result_##number
#define ALOS_TRY_AS(name, ...)                                  \
  __extension__({                                               \
    auto&& name = (__VA_ARGS__);                                \
    if (!name.has_value()) [[unlikely]]                         \
      return ::alos::base::Unexpected(std::move(name).error()); \
    std::move(name).value();                                    \
  })
