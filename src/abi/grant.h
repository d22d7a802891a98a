// Grants: authority as a person writes it.
//
//   RIGHTS RESOURCE [ask [N of] [NAMES] | deny] [CONDITION]... [uses=N] [until=TIME] [within=SPAN]
//   [else=allow] [delegate|delegate-only]
//
//   write fs:/workspace/** ask 2 of owner,ops within=1h
//   write fs:/workspace/src/** name=*.cc|*.h bytes<=64K uses=20
//
// A condition narrows what a grant covers by what the call itself says. One that the call says
// nothing about does not hold; of a deny it does, so that a doubt refuses.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "abi/resource.h"

namespace alos::abi {

ALOS_ENUM(GrantEffect, allow, ask, deny)
ALOS_ENUM(Delegation, none, also, only)

// bytes:  at most so many bytes are written or sent
// name:   the resource's last segment is like one of these; `*` is any run of characters
// under:  the resource is covered by one of these patterns
// argv:   the command's words, one by one; `*` any run of characters, a last `**` any more words
// method: of an HTTP request
ALOS_ENUM(ConditionKind, bytes, name, under, argv, method)

struct Condition {
  ConditionKind kind = ConditionKind::name;
  std::uint64_t bytes_max = 0;      // bytes
  std::vector<std::string> values;  // all others: one of them must fit (argv: word by word)

  enum class Doubt : std::uint8_t { refuses, holds };  // what an absent fact means
  bool holds(const Need& need, Doubt doubt) const;
  bool implies(const Condition& wider) const;  // whatever fits this fits that
  std::string to_text() const;
  bool operator==(const Condition&) const = default;
};

// Whom an `ask` asks, and how.
struct Asking {
  std::uint32_t votes = 1;                 // so many different people must say yes
  std::vector<std::string> of;             // people or roles; empty: the job's owner
  std::optional<std::uint64_t> within_ms;  // then it is answered by itself
  bool otherwise_allow = false;            // with yes instead of no
  ALOS_FIELDS(votes, of, within_ms, otherwise_allow)
  bool operator==(const Asking&) const = default;
};

struct Grant {
  Rights rights;
  Pattern resource;
  GrantEffect effect = GrantEffect::allow;
  std::optional<std::uint64_t> uses;
  std::optional<base::Time> until;
  Delegation delegation = Delegation::none;
  std::vector<Condition> conditions;  // all of them must hold
  Asking asking;                      // of an ask

  std::string to_text() const;
  static base::Result<Grant> from_text(std::string_view text) { return parse(text, base::Time{}); }
  // `until` may also be a duration from `now`, as in until=2h; an error when `now` is zero.
  static base::Result<Grant> parse(std::string_view text, base::Time now);

  // Whether it speaks of this need, whatever it says.
  bool fits(const Need& need) const;
  // Whether every call that `narrower` speaks of is one that this speaks of: rights, resource and
  // conditions. Effect, uses and time are not compared.
  bool covers(const Grant& narrower) const;
  bool operator==(const Grant&) const = default;
};

}  // namespace alos::abi
