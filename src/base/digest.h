// Digest: SHA-256 of bytes. The name of a blob, the link of the journal's chain, the binding of an
// approval.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace alos::base {

struct Digest {
  std::array<std::uint8_t, 32> bytes{};

  auto operator<=>(const Digest&) const = default;
  bool is_zero() const { return *this == Digest{}; }
  std::string_view view() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  static Digest of(std::string_view data);
  // The digest of the concatenation; saves building it.
  static Digest of(std::string_view first, std::string_view second);
  static Result<Digest> from_hex(std::string_view hex);    // 64 lowercase hex digits
  static Result<Digest> from_bytes(std::string_view raw);  // exactly 32 bytes
};

std::string to_hex(const Digest& digest);
std::string short_hex(const Digest& digest);  // the first 12 digits, for people

}  // namespace alos::base

template <>
struct std::hash<alos::base::Digest> {
  std::size_t operator()(const alos::base::Digest& d) const noexcept {
    std::size_t value = 0;
    std::memcpy(&value, d.bytes.data(), sizeof(value));
    return value;
  }
};
