#include <fmt/format.h>

#include "base/text.h"
#include "kernel/answers.h"
#include "kernel/authority.h"
#include "kernel/schema.h"

namespace alos::kernel {
namespace {

using base::Code;
using base::fail;
using base::Result;

template <typename C>
Result<EditedCall> read_as(std::string_view json, base::Pid pid) {
  const auto call = base::from_json<C>(json, base::Source::outside);
  if (!call)
    return fail(Code::invalid, fmt::format("the edited {}: {}", C::kName, call.error().what),
                "the call as it was: `alos approvals --json`, field arguments");
  return EditedCall{whole_json(*call), abi::digest_of(*call), call->needs(abi::Caller{pid})};
}

template <typename... C>
Result<EditedCall> read_any(abi::CallList<C...>, std::string_view name, std::string_view json,
                            base::Pid pid) {
  Result<EditedCall> out =
      fail(Code::invalid, fmt::format("there is no call {}", base::printable(name)));
  ((C::kName == name ? void(out = read_as<C>(json, pid)) : void()), ...);
  return out;
}

}  // namespace

Result<EditedCall> read_edited(std::string_view name, std::string_view json, base::Pid pid) {
  return read_any(abi::AllCalls{}, name, json, pid);
}

Result<void> check_form_answer(const base::Json& schema, std::string_view text) {
  const base::Json value = TRY(base::parse_json(text));
  return check_schema(schema.data, value.data);
}

}  // namespace alos::kernel
