// Whatever line: a record that is read is written, read and written the same again, and applying it
// to any state either fits or leaves the state as it was.
#include <cstdint>

#include "base/check.h"
#include "base/text.h"
#include "core/apply.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace alos;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  core::JobState state;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const auto record = core::parse_record(line);
    if (!record) {
      CHECK(record.error().code == base::Code::corrupt && base::is_utf8(record.error().what));
      continue;
    }
    std::string once, twice;
    core::append_canonical(once, *record);
    const auto again = core::parse_record(once);
    CHECK(again.has_value());
    core::append_canonical(twice, *again);
    CHECK(once == twice);
    const std::string before = core::encode_state(state);
    if (!core::apply(state, *record, core::chain(state.head, line)))
      CHECK(core::encode_state(state) == before);
  }
  const std::string snapshot = core::encode_state(state);
  const auto back = core::decode_state(snapshot);
  CHECK(back.has_value());
  CHECK(core::encode_state(*back) == snapshot);
  return 0;
}
