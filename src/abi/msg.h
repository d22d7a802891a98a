// Messages between processes: msg.send, msg.receive. A mailbox is durable; each message arrives
// once, and those of one sender in the order they were sent, also across jobs.
#pragma once

#include "abi/call.h"

namespace alos::abi {

inline constexpr std::size_t kMessageBytesMax = 256 * 1024;
inline constexpr std::size_t kMessageKindBytesMax = 64;

// What came. `from` is a pid or human:NAME; `number` is the sender's own, to answer to.
struct Letter {
  std::string from;
  std::uint64_t number = 0;
  std::string kind;
  base::Text text;
  std::optional<std::uint64_t> re;  // the number of the message that this one answers
  ALOS_FIELDS(from, number, kind, text, re)
  bool operator==(const Letter&) const = default;
};

// Which messages; absent: any.
struct LetterFilter {
  std::optional<std::string> from;
  std::optional<std::string> kind;
  std::optional<std::uint64_t> re;
  ALOS_FIELDS(from, kind, re)
  bool operator==(const LetterFilter&) const = default;
  bool fits(const Letter& letter) const {
    return (!from || *from == letter.from) && (!kind || *kind == letter.kind) &&
           (!re || re == letter.re);
  }
};

// Errors: `not_found`, `conflict` (it has ended), `exhausted` (its mailbox is full).
struct MsgSend {
  base::Pid to;
  std::string kind;
  base::Text text;
  std::optional<std::uint64_t> re;
  ALOS_FIELDS(to, kind, text, re)
  struct Reply {
    std::uint64_t number = 0;
    ALOS_FIELDS(number)
  };
  static constexpr std::string_view kName = "msg.send";
  static constexpr auto kClass = EffectClass::internal;
  Needs needs(const Caller&) const {
    return {{Resource::process(to), Right::write, Reach::exact, {}}};
  }
};

// Takes the oldest message that fits out of the caller's mailbox; parks until there is one. Errors:
// `timeout`.
struct MsgReceive {
  LetterFilter which;
  std::optional<std::uint64_t> timeout_ms;
  ALOS_FIELDS(which, timeout_ms)
  struct Reply {
    Letter letter;
    std::uint64_t left = 0;  // in the mailbox
    ALOS_FIELDS(letter, left)
  };
  static constexpr std::string_view kName = "msg.receive";
  static constexpr auto kClass = EffectClass::internal;
  Needs needs(const Caller&) const { return {}; }  // its own mailbox
};

using MsgCalls = CallList<MsgSend, MsgReceive>;

}  // namespace alos::abi
