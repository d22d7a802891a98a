#include "surface/table.h"

#include <algorithm>

namespace alos::surface {
namespace {

constexpr std::size_t kGap = 2;
constexpr std::size_t kLastColumnMin = 20;

}  // namespace

std::string cut(std::string_view text, std::size_t count) {
  if (columns(text) <= count) return std::string(text);
  std::size_t seen = 0;
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80) continue;
    if (++seen == count) break;
  }
  return std::string(text.substr(0, at)) + "…";
}

std::string Table::text(const Style& style) const {
  std::vector<std::size_t> widths;
  for (const auto& name : head_) widths.push_back(columns(name));
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i)
      widths[i] = std::max(widths[i], columns(row[i].text));
  std::size_t before = 0;
  for (std::size_t i = 0; i + 1 < widths.size(); ++i) before += widths[i] + kGap;
  const std::size_t last =
      style.width > before + kLastColumnMin ? style.width - before : kLastColumnMin;

  std::string out;
  const auto line = [&](const auto& cell_text, const auto& cell_ink, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const bool end = i + 1 == count;
      const std::string shown = end ? cut(cell_text(i), last) : cell_text(i);
      out += paint(style, cell_ink(i), shown);
      if (!end) out.append(widths[i] + kGap - columns(shown), ' ');
    }
    out += '\n';
  };
  line([&](std::size_t i) { return head_[i]; }, [](std::size_t) { return Ink::dim; }, head_.size());
  for (const auto& row : rows_)
    line([&](std::size_t i) { return row[i].text; }, [&](std::size_t i) { return row[i].ink; },
         std::min(row.size(), head_.size()));
  return out;
}

}  // namespace alos::surface
