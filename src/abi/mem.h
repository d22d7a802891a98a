// Object Memory: mem.put, get, append, list. Objects are typed, versioned values in a namespace; a
// process's own namespace has its pid for name.
#pragma once

#include "abi/call.h"

namespace alos::abi {

inline constexpr std::size_t kObjectNameBytesMax = 200;

struct MemPut {
  std::optional<std::string> space;  // namespace; absent: the caller's own
  std::string name;
  std::string type;
  base::Json value;
  std::optional<std::uint64_t> expected_version;  // 0: must not exist yet; otherwise a `conflict`
  ALOS_FIELDS(space, name, type, value, expected_version)
  struct Reply {
    std::string name;
    std::uint64_t version = 0;
    ALOS_FIELDS(name, version)
  };
  static constexpr std::string_view kName = "mem.put";
  static constexpr auto kClass = EffectClass::internal;
  Usage spends() const { return {.object_bytes = value.size_bytes()}; }
  Needs needs(const Caller& caller) const {
    return {{Resource::object(space.value_or(base::to_string(caller.pid)), name), Right::write,
             Reach::exact}};
  }
};

struct MemGet {
  std::optional<std::string> space;
  std::string name;
  ALOS_FIELDS(space, name)
  struct Reply {
    std::string type;
    std::uint64_t version = 0;
    base::Json value;
    ALOS_FIELDS(type, version, value)
  };
  static constexpr std::string_view kName = "mem.get";
  static constexpr auto kClass = EffectClass::internal;
  Needs needs(const Caller& caller) const {
    return {{Resource::object(space.value_or(base::to_string(caller.pid)), name), Right::read,
             Reach::exact}};
  }
};

// Adds an item to an array, or text to a string; anything else is `invalid`.
struct MemAppend {
  std::optional<std::string> space;
  std::string name;
  base::Json item;
  ALOS_FIELDS(space, name, item)
  using Reply = MemPut::Reply;
  static constexpr std::string_view kName = "mem.append";
  static constexpr auto kClass = EffectClass::internal;
  Needs needs(const Caller& caller) const {
    return {{Resource::object(space.value_or(base::to_string(caller.pid)), name), Right::write,
             Reach::exact}};
  }
};

struct MemList {
  std::optional<std::string> space;
  ALOS_FIELDS(space)
  struct Item {
    std::string name;
    std::string type;
    std::uint64_t version = 0;
    std::uint64_t bytes = 0;
    ALOS_FIELDS(name, type, version, bytes)
  };
  struct Reply {
    std::vector<Item> objects;
    ALOS_FIELDS(objects)
  };
  static constexpr std::string_view kName = "mem.list";
  static constexpr auto kClass = EffectClass::internal;
  Needs needs(const Caller& caller) const {
    return {{Resource::object(space.value_or(base::to_string(caller.pid)), ""), Right::list,
             Reach::subtree}};
  }
};

using MemCalls = CallList<MemPut, MemGet, MemAppend, MemList>;

}  // namespace alos::abi
