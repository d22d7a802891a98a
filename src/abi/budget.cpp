#include "abi/budget.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/id.h"
#include "base/text.h"
#include "base/time.h"

namespace alos::abi {

using base::Code;
using base::fail;
using base::Result;

namespace {

constexpr std::string_view kOnExhausted = "on_exhausted";

bool is_bytes(BudgetKind kind) {
  return kind == BudgetKind::written_bytes || kind == BudgetKind::object_bytes ||
         kind == BudgetKind::egress_bytes;
}

std::string quoted(std::string_view text) {
  return fmt::format("`{}`", base::printable(base::shortened(text, 40)));
}

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  if (bytes < 1024 * 1024) return fmt::format("{:.1f} KB", static_cast<double>(bytes) / 1024);
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / (1024 * 1024));
}

}  // namespace

Result<std::uint64_t> parse_usd_micro(std::string_view text) {
  const std::size_t dot = text.find('.');
  const auto whole = base::parse_unsigned(text.substr(0, dot));
  std::string decimals(dot == std::string_view::npos ? std::string_view{} : text.substr(dot + 1));
  const bool well = whole && *whole <= 1'000'000'000 && decimals.size() <= 6 &&
                    decimals.find_first_not_of("0123456789") == std::string::npos &&
                    (dot == std::string_view::npos || !decimals.empty());
  if (!well)
    return fail(Code::invalid, fmt::format("{} is not an amount of US dollars", quoted(text)),
                "for example: 2.50");
  decimals.resize(6, '0');
  std::uint64_t micro = 0;
  for (const char c : decimals) micro = micro * 10 + static_cast<std::uint64_t>(c - '0');
  return *whole * 1'000'000 + micro;
}

Result<BudgetKind> budget_kind(std::string_view key) {
  constexpr auto names = base::enum_names<BudgetKind>();
  const auto* found = std::find(names.begin(), names.end(), key);
  if (found != names.end()) return static_cast<BudgetKind>(found - names.begin());
  std::array<std::string_view, kBudgetKinds + 1> known{};
  std::copy(names.begin(), names.end(), known.begin());
  known.back() = kOnExhausted;
  const std::string_view near = base::nearest(key, known);
  return fail(Code::invalid,
              fmt::format("a budget has no {}{}", quoted(key),
                          near.empty() ? "" : fmt::format("; did you mean `{}`?", near)),
              fmt::format("{}", fmt::join(known, ", ")));
}

Result<std::uint64_t> parse_amount(BudgetKind kind, std::string_view text) {
  std::uint64_t amount = 0;
  if (kind == BudgetKind::usd) {
    amount = TRY(parse_usd_micro(text));
  } else if (kind == BudgetKind::wall || kind == BudgetKind::cpu) {
    amount = static_cast<std::uint64_t>(TRY(base::parse_duration(text)).count() / 1000);
  } else if (is_bytes(kind)) {
    amount = TRY(base::parse_bytes(text));
  } else {
    const auto number = base::parse_unsigned(text);
    if (!number)
      return fail(Code::invalid,
                  fmt::format("{} {} is not a whole number", base::name_of(kind), quoted(text)),
                  "leave it out for no limit; 0 means none at all");
    amount = *number;
  }
  if (amount <= kAmountMax) return amount;
  return fail(Code::invalid, fmt::format("{} {} is too large", base::name_of(kind), quoted(text)),
              "leave it out for no limit");
}

std::string amount_text(BudgetKind kind, std::uint64_t amount) {
  if (kind == BudgetKind::usd) return fmt::format("${:.4f}", static_cast<double>(amount) / 1e6);
  if (kind == BudgetKind::wall || kind == BudgetKind::cpu)
    return base::to_string(std::chrono::milliseconds(amount));
  if (is_bytes(kind)) return bytes_text(amount);
  std::string what(base::name_of(kind));
  std::replace(what.begin(), what.end(), '_', ' ');
  return fmt::format("{} {}", amount, what);
}

Result<void> Budget::set(std::string_view key, std::string_view value) {
  if (key == kOnExhausted) {
    constexpr auto names = base::enum_names<OnExhausted>();
    const auto* found = std::find(names.begin(), names.end(), value);
    if (found == names.end())
      return fail(Code::invalid, fmt::format("on_exhausted {} is not known", quoted(value)),
                  "pause, ask or fail");
    on_exhausted = static_cast<OnExhausted>(found - names.begin());
    return {};
  }
  const BudgetKind kind = TRY(budget_kind(key));
  limit(kind) = TRY(parse_amount(kind, value));
  return {};
}

}  // namespace alos::abi
