#include "surface/output.h"

#include <unistd.h>

#include <cerrno>

#include "base/json.h"
#include "base/text.h"

namespace alos::surface {
namespace {

constexpr std::size_t kHeldBytesMax = 32 * 1024;

void write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t bytes = ::write(fd, text.data(), text.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return;
    text.remove_prefix(static_cast<std::size_t>(bytes));
  }
}

std::string_view code_of(Ink ink) {
  switch (ink) {
    case Ink::plain: return "0";
    case Ink::bold: return "1";
    case Ink::dim: return "2";
    case Ink::red: return "31";
    case Ink::green: return "32";
    case Ink::yellow: return "33";
    case Ink::cyan: return "36";
  }
  return "0";
}

}  // namespace

void FileOutput::out(std::string_view text) {
  held_ += text;
  if (held_.size() >= kHeldBytesMax) flush();
}

void FileOutput::err(std::string_view text) {
  flush();
  write_all(err_fd_, text);
}

void FileOutput::flush() {
  write_all(out_fd_, held_);
  held_.clear();
}

std::string paint(const Style& style, Ink ink, std::string_view text) {
  if (style.colour == Colour::off || ink == Ink::plain || text.empty()) return std::string(text);
  std::string out = "\x1b[";
  ((out += code_of(ink)) += 'm') += text;
  return out += "\x1b[0m";
}

std::string typed(std::string_view type, std::string_view object_json) {
  std::string out = R"({"type":)";
  base::append_json_string(out, type);
  if (object_json.size() > 2)
    (out += ',') += object_json.substr(1);
  else
    out += '}';
  return out += '\n';
}

void report(Output& output, const Style& style, const base::Error& error) {
  if (style.json()) output.out(typed("error", base::to_json(error)));
  std::string text = paint(style, Ink::red, "alos:") + ' ' + base::printable(error.what) + '\n';
  std::string_view rest = error.details;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    text += "  " + base::printable(rest.substr(0, end)) + '\n';
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  output.err(text);
}

std::size_t columns(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80 ? 1 : 0;
  return count;
}

}  // namespace alos::surface
