// Any bytes as a manifest: a manifest, or an error that says something printable.
#include <cstdint>

#include "base/check.h"
#include "base/text.h"
#include "surface/approve.h"
#include "surface/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto manifest = alos::surface::Manifest::parse(text, "m.yaml", "/d", alos::base::Time{1});
  if (!manifest)
    CHECK(!manifest.error().what.empty() && alos::base::is_utf8(manifest.error().what));
  const auto rules = alos::surface::ApprovePolicy::parse_rules(text, "r.yaml");
  if (!rules) CHECK(!rules.error().what.empty() && alos::base::is_utf8(rules.error().what));
  return 0;
}
