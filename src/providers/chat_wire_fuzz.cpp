// Whatever a server sends: no crash, no sanitizer report, and the same result however the bytes are
// cut.
#include <cstdint>
#include <string>

#include "base/check.h"
#include "providers/chat_wire.h"

namespace {

using namespace alos;

std::string result_text(const base::Result<abi::ModelGenerate::Reply>& reply) {
  return reply ? base::to_json(*reply) : base::to_json(reply.error());
}

std::string streamed(std::string_view bytes, std::size_t step) {
  providers::ChatStream stream(1);
  while (!bytes.empty()) {
    if (const auto fed = stream.feed(bytes.substr(0, step)); !fed)
      return base::to_json(fed.error());
    bytes.remove_prefix(std::min(step, bytes.size()));
  }
  return result_text(stream.finish());
}

void check_ids(const base::Result<abi::ModelGenerate::Reply>& reply) {
  if (!reply) return;
  for (std::size_t i = 0; i < reply->tool_calls.size(); ++i)
    for (std::size_t j = 0; j <= i; ++j)
      CHECK(!reply->tool_calls[i].id.empty() &&
            (i == j || reply->tool_calls[i].id != reply->tool_calls[j].id));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = data[0] % 16 + 1U;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  CHECK(streamed(bytes, bytes.size() + 1) == streamed(bytes, step));
  check_ids(providers::parse_chat_reply(bytes, 1));
  (void)providers::parse_server_error(bytes);
  (void)providers::parse_retry_after(bytes, base::Time{});
  return 0;
}
