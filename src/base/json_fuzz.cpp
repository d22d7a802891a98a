// Whatever text: no crash, canonical JSON is a fixed point, and what is decoded is written and read
// again.
#include <cstdint>

#include "base/check.h"
#include "base/json.h"
#include "base/text.h"

namespace {

using namespace alos;

ALOS_ENUM(Colour, red, green)

struct Node {
  std::optional<std::int64_t> number;
  std::optional<std::uint32_t> small;
  std::optional<Colour> colour;
  std::optional<base::Time> at;
  std::optional<base::Pid> pid;
  std::optional<base::Path> path;
  std::optional<base::Digest> digest;
  std::optional<base::Text> text;
  std::optional<base::Json> value;
  std::optional<std::map<std::string, std::vector<std::string>>> names;
  ALOS_FIELDS(number, small, colour, at, pid, path, digest, text, value, names)
};

void decode_twice(std::string_view text, base::Source source) {
  const auto node = base::from_json<Node>(text, source);
  if (!node) {
    CHECK(base::is_utf8(node.error().what) && !node.error().what.empty());
    return;
  }
  const std::string once = base::to_json(*node);
  const auto again = base::from_json<Node>(once, base::Source::journal);
  CHECK(again.has_value());
  CHECK(base::to_json(*again) == once);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto json = base::parse_json(text)) {
    const auto again = base::parse_json(json->data);
    CHECK(again.has_value());
    CHECK(again->data == json->data);
  }
  decode_twice(text, base::Source::outside);
  decode_twice(text, base::Source::journal);
  (void)base::with_payloads(
      text, [](const base::Digest&) -> base::Result<std::string> { return std::string("null"); });
  if (const auto time = base::parse_time(text))
    CHECK(base::parse_time(base::to_string(*time)).value() == *time);
  if (const auto path = base::Path::parse(text))
    CHECK(base::Path::parse(path->text()).value() == *path);
  CHECK(base::is_utf8(base::printable(text)));
  return 0;
}
