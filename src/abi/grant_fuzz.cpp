// Whatever text: a grant that is read is printed, read and printed the same again, and its pattern
// behaves.
#include <cstdint>

#include "abi/grant.h"
#include "base/check.h"
#include "base/text.h"

namespace {

using namespace alos;

void check_pattern(const abi::Pattern& pattern) {
  CHECK(abi::Pattern::from_text(pattern.text()).value() == pattern);
  CHECK(pattern.covers(pattern) && pattern.overlaps(pattern));
  CHECK(pattern.text().starts_with(pattern.literal_prefix()));
  if (!pattern.has_wildcard())
    CHECK(pattern.matches(abi::Resource::from_text(pattern.text()).value()));
}

void check_grant(const base::Result<abi::Grant>& grant) {
  if (!grant) {
    CHECK(!grant.error().what.empty() && base::is_utf8(grant.error().what));
    return;
  }
  const std::string once = grant->to_text();
  const auto again = abi::Grant::from_text(once);
  CHECK(again.has_value());
  CHECK(*again == *grant);
  CHECK(again->to_text() == once);
  CHECK(!grant->rights.empty());
  check_pattern(grant->resource);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_grant(abi::Grant::from_text(text));
  check_grant(abi::Grant::parse(text, base::Time{1'763'829'797'123'456}));
  if (const auto pattern = abi::Pattern::from_text(text)) check_pattern(*pattern);
  if (!base::is_utf8(text)) return 0;
  const abi::Resource object = abi::Resource::object("7.1", text);
  CHECK(abi::Pattern::from_text(object.text()).value().matches(object));
  return 0;
}
