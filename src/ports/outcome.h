// Outcome: what the provider saw when it acted on an intent. Data, not an error: unknown is an
// answer too.
#pragma once

#include <variant>

#include "base/result.h"

namespace alos::ports {

struct NotStarted {  // certified: nothing happened, nothing was sent; uses and budget are given
                     // back
  base::Error error;
};
struct Failed {  // it was tried and did not succeed; the world is as if it had not been
  base::Error error;
};
struct Unknown {  // it was begun, and nobody can say whether it happened
  base::Error error;
};

template <typename Reply>
class [[nodiscard]] Outcome {
 public:
  Outcome(Reply reply) : state_(std::move(reply)) {}       // NOLINT(google-explicit-constructor)
  Outcome(NotStarted state) : state_(std::move(state)) {}  // NOLINT(google-explicit-constructor)
  Outcome(Failed state) : state_(std::move(state)) {}      // NOLINT(google-explicit-constructor)
  Outcome(Unknown state) : state_(std::move(state)) {}     // NOLINT(google-explicit-constructor)
  // An error of an observation or of a step before the world was touched.
  Outcome(base::Unexpected failure)  // NOLINT(google-explicit-constructor)
      : state_(Failed{std::move(failure.error())}) {}

  const Reply* done() const { return std::get_if<Reply>(&state_); }
  Reply* done() { return std::get_if<Reply>(&state_); }
  const NotStarted* not_started() const { return std::get_if<NotStarted>(&state_); }
  const Failed* failed() const { return std::get_if<Failed>(&state_); }
  const Unknown* unknown() const { return std::get_if<Unknown>(&state_); }

  // The error of whatever is not done.
  const base::Error& error() const {
    if (const auto* n = not_started()) return n->error;
    if (const auto* f = failed()) return f->error;
    return std::get<Unknown>(state_).error;
  }

 private:
  std::variant<Reply, NotStarted, Failed, Unknown> state_;
};

}  // namespace alos::ports
