// Humans: human.ask (parks until answered), human.tell, and cap.request, which asks a human for
// authority.
#pragma once

#include "abi/call.h"

namespace alos::abi {

inline constexpr std::size_t kHumanTextBytesMax = 16 * 1024;
inline constexpr std::size_t kGrantsPerRequestMax = 16;

struct HumanAsk {
  std::string to = "owner";
  std::string question;
  std::vector<std::string> choices;  // empty: free text
  std::optional<base::Json> schema;  // JSON Schema of the answer, which is then JSON
  std::optional<std::uint64_t> timeout_ms;
  std::optional<std::string> otherwise;  // the answer when nobody gave one in time; else `denied`
  ALOS_FIELDS(to, question, choices, schema, timeout_ms, otherwise)
  struct Reply {
    std::string answer;
    ALOS_FIELDS(answer)
  };
  static constexpr std::string_view kName = "human.ask";
  static constexpr auto kClass = EffectClass::internal;
  Needs needs(const Caller&) const { return {{Resource::human(to), Right::read, Reach::exact}}; }
};

struct HumanTell {
  std::string to = "owner";
  std::string text;
  ALOS_FIELDS(to, text)
  struct Reply {
    ALOS_FIELDS()
  };
  static constexpr std::string_view kName = "human.tell";
  static constexpr auto kClass = EffectClass::internal;
  Needs needs(const Caller&) const { return {{Resource::human(to), Right::write, Reach::exact}}; }
};

struct CapRequest {
  std::vector<Grant> grants;
  std::string reason;
  ALOS_FIELDS(grants, reason)
  struct Reply {
    std::vector<base::CapId> granted;
    ALOS_FIELDS(granted)
  };
  static constexpr std::string_view kName = "cap.request";
  static constexpr auto kClass = EffectClass::internal;
  Needs needs(const Caller&) const {
    return {{Resource::human("owner"), Right::read, Reach::exact}};
  }
};

struct CapList {
  ALOS_FIELDS()
  struct Item {
    base::CapId id;
    Grant grant;
    std::string from;  // who granted it
    ALOS_FIELDS(id, grant, from)
  };
  struct Reply {
    std::vector<Item> capabilities;
    ALOS_FIELDS(capabilities)
  };
  static constexpr std::string_view kName = "cap.list";
  static constexpr auto kClass = EffectClass::internal;
  Needs needs(const Caller&) const { return {}; }  // what one holds oneself
};

// Hands a capability on to a process below the caller: what core::derive makes of it.
struct CapDerive {
  base::Pid to;
  Grant grant;
  ALOS_FIELDS(to, grant)
  struct Reply {
    std::vector<CapList::Item> handed;  // and the asks and denies that go with it
    ALOS_FIELDS(handed)
  };
  static constexpr std::string_view kName = "cap.derive";
  static constexpr auto kClass = EffectClass::internal;
  Needs needs(const Caller&) const { return {}; }  // the capability itself says whether
};

// Gives up one that the caller holds, with all that is derived from it.
struct CapDrop {
  base::CapId cap;
  ALOS_FIELDS(cap)
  struct Reply {
    std::uint64_t dropped = 0;
    ALOS_FIELDS(dropped)
  };
  static constexpr std::string_view kName = "cap.drop";
  static constexpr auto kClass = EffectClass::internal;
  Needs needs(const Caller&) const { return {}; }  // less is always allowed
};

using HumanCalls = CallList<HumanAsk, HumanTell, CapRequest, CapList, CapDerive, CapDrop>;

}  // namespace alos::abi
