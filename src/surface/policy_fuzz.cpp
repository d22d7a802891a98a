// Any bytes as a policy: one that a rule can be added to without anything else changing, or an
// error that says something printable.
#include <cstdint>

#include "base/check.h"
#include "base/text.h"
#include "surface/policy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using alos::surface::Policy;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto printable = [](const alos::base::Error& error) {
    return !error.what.empty() && alos::base::is_utf8(error.what);
  };
  const auto policy = Policy::parse(text, "policy.yaml");
  if (!policy) {
    CHECK(printable(policy.error()));
    return 0;
  }
  const auto rule = alos::abi::Grant::from_text("write fs:/workspace/added/**");
  CHECK(rule.has_value());
  for (const std::optional<std::string>& dir : {std::optional<std::string>(), {"/home/ada/shop"}}) {
    const auto more = alos::surface::with_rule(text, "policy.yaml", dir, *rule);
    if (!more) {
      CHECK(printable(more.error()));
      continue;
    }
    const auto after = Policy::parse(*more, "policy.yaml");
    CHECK(after.has_value());
    CHECK(*alos::surface::with_rule(*more, "policy.yaml", dir, *rule) == *more);
  }
  return 0;
}
