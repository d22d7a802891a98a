// Time: time.now, time.sleep.
#pragma once

#include "abi/call.h"

namespace alos::abi {

struct TimeNow {
  ALOS_FIELDS()
  struct Reply {
    base::Time now;
    ALOS_FIELDS(now)
  };
  static constexpr std::string_view kName = "time.now";
  static constexpr auto kClass = EffectClass::observe;
  Needs needs(const Caller&) const { return {{Resource::clock("now"), Right::read, Reach::exact}}; }
};

// Parks the process until the time has passed; survives restarts, also when they last longer.
struct TimeSleep {
  std::uint64_t milliseconds = 0;
  ALOS_FIELDS(milliseconds)
  struct Reply {
    base::Time woke;
    ALOS_FIELDS(woke)
  };
  static constexpr std::string_view kName = "time.sleep";
  static constexpr auto kClass = EffectClass::internal;
  Needs needs(const Caller&) const {
    return {{Resource::clock("sleep"), Right::execute, Reach::exact}};
  }
};

using TimeCalls = CallList<TimeNow, TimeSleep>;

}  // namespace alos::abi
