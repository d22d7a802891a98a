// Described structs and enums: one line names the fields, everything else (codec, schema, equality
// of digests, docs) is expanded from it.
//
//   struct FsRead {
//     Path path;
//     std::optional<std::uint64_t> offset;
//     ALOS_FIELDS(path, offset)
//   };
//   ALOS_ENUM(Right, read, write)
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace alos::base {

// Splits "a, b, c" into its names.
template <std::size_t N>
constexpr std::array<std::string_view, N> split_names(std::string_view text) {
  std::array<std::string_view, N> names{};
  for (std::size_t i = 0; i < N; ++i) {
    const std::size_t end = text.find(',');
    std::string_view name = text.substr(0, end);
    while (!name.empty() && name.front() == ' ') name.remove_prefix(1);
    while (!name.empty() && name.back() == ' ') name.remove_suffix(1);
    names[i] = name;
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return names;
}

constexpr std::size_t count_names(std::string_view text) {
  if (text.empty()) return 0;
  std::size_t count = 1;
  for (const char c : text) count += c == ',' ? 1 : 0;
  return count;
}

template <typename T>
concept Described = requires(const T& value) {
  T::kFieldText;
  value.fields();
};

template <Described T>
constexpr auto field_names() {
  return split_names<count_names(T::kFieldText)>(T::kFieldText);
}

template <typename E>
concept DescribedEnum = std::is_enum_v<E> && requires { enum_text(static_cast<E*>(nullptr)); };

template <DescribedEnum E>
constexpr int first_value() {
  if constexpr (requires { enum_first(static_cast<E*>(nullptr)); })
    return enum_first(static_cast<E*>(nullptr));
  return 0;
}

template <DescribedEnum E>
constexpr auto enum_names() {
  constexpr std::string_view text = enum_text(static_cast<E*>(nullptr));
  return split_names<count_names(text)>(text);
}

// The name of an enum's value, as it stands in journals and on screens.
template <DescribedEnum E>
constexpr std::string_view name_of(E value) {
  constexpr auto names = enum_names<E>();
  const auto index = static_cast<std::size_t>(static_cast<int>(value) - first_value<E>());
  return index < names.size() ? names[index] : std::string_view{"?"};
}

}  // namespace alos::base

#define ALOS_FIELDS(...)                                       \
  static constexpr std::string_view kFieldText = #__VA_ARGS__; \
  constexpr auto fields() { return std::tie(__VA_ARGS__); }    \
  constexpr auto fields() const { return std::tie(__VA_ARGS__); }

#define ALOS_ENUM(Name, ...)                      \
  enum class Name : std::uint8_t { __VA_ARGS__ }; \
  constexpr std::string_view enum_text(Name*) { return #__VA_ARGS__; }
