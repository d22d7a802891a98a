// Budget: what a process and all below it may spend. Absent means no limit, 0 means none.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/describe.h"
#include "base/result.h"

namespace alos::abi {

// The names people write. All but the last are amounts that add up.
ALOS_ENUM(BudgetKind, model_tokens, input_tokens, output_tokens, model_calls, tool_calls, usd,
          written_bytes, object_bytes, cpu, egress_bytes, processes, wall)
inline constexpr std::size_t kAmounts = 11;
inline constexpr std::size_t kBudgetKinds = 12;
inline constexpr std::uint64_t kAmountMax = std::uint64_t{1} << 53;  // of anything

// What happens when it is used up: the process is paused, its owner is asked for more, or it fails.
ALOS_ENUM(OnExhausted, pause, ask, fail)

struct Budget {
  std::optional<std::uint64_t> model_tokens;  // in and out together
  std::optional<std::uint64_t> model_calls;
  std::optional<std::uint64_t> tool_calls;
  std::optional<std::uint64_t> usd_micro;  // millionths of a US dollar
  std::optional<std::uint64_t> wall_ms;    // from its start
  std::optional<std::uint64_t> processes;  // live ones: itself and all below it
  std::optional<std::uint64_t> input_tokens;
  std::optional<std::uint64_t> output_tokens;
  std::optional<std::uint64_t> written_bytes;  // into files
  std::optional<std::uint64_t> object_bytes;   // into objects, each version
  std::optional<std::uint64_t> cpu_ms;         // of native commands
  std::optional<std::uint64_t> egress_bytes;   // sent over the network, but for the model's
  std::optional<OnExhausted> on_exhausted;     // absent: pause; of what an agent set: fail
  ALOS_FIELDS(model_tokens, model_calls, tool_calls, usd_micro, wall_ms, processes, input_tokens,
              output_tokens, written_bytes, object_bytes, cpu_ms, egress_bytes, on_exhausted)

  // The limit of a kind.
  const std::optional<std::uint64_t>& limit(BudgetKind kind) const {
    const std::array fields{&model_tokens, &input_tokens, &output_tokens, &model_calls,
                            &tool_calls,   &usd_micro,    &written_bytes, &object_bytes,
                            &cpu_ms,       &egress_bytes, &processes,     &wall_ms};
    return *fields[static_cast<std::size_t>(kind)];
  }
  std::optional<std::uint64_t>& limit(BudgetKind kind) {
    return const_cast<std::optional<std::uint64_t>&>(std::as_const(*this).limit(kind));
  }

  // KEY=VALUE as people write it: usd=2.50, wall=2h, cpu=90s, written_bytes=10MB, tool_calls=300,
  // on_exhausted=ask. Errors: `invalid`.
  base::Result<void> set(std::string_view key, std::string_view value);
};

// What was spent, or what a call may spend at most.
struct Usage {
  std::uint64_t input_tokens = 0;
  std::uint64_t output_tokens = 0;
  std::uint64_t model_calls = 0;
  std::uint64_t tool_calls = 0;
  std::uint64_t usd_micro = 0;
  std::uint64_t written_bytes = 0;
  std::uint64_t object_bytes = 0;
  std::uint64_t cpu_ms = 0;
  std::uint64_t egress_bytes = 0;
  ALOS_FIELDS(input_tokens, output_tokens, model_calls, tool_calls, usd_micro, written_bytes,
              object_bytes, cpu_ms, egress_bytes)
  static constexpr std::size_t kAddedFrom = 5;
  bool operator==(const Usage&) const = default;
};

base::Result<BudgetKind> budget_kind(std::string_view key);

// An amount as people write it: "2.50" is 2500000 of usd. Errors: `invalid`.
base::Result<std::uint64_t> parse_amount(BudgetKind kind, std::string_view text);

// "$2.50", "2h", "10.0 MB", "300 tool calls".
std::string amount_text(BudgetKind kind, std::uint64_t amount);

base::Result<std::uint64_t> parse_usd_micro(std::string_view text);

}  // namespace alos::abi
