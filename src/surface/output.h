// Output: where a command's text goes. A terminal, a file, or somebody at the other end of the
// store's socket.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace alos::surface {

class Output {
 public:
  virtual ~Output() = default;
  virtual void out(std::string_view text) = 0;  // results; may be held back until flush
  virtual void err(
      std::string_view text) = 0;  // progress, questions, errors; at once, after what was held back
  virtual void flush() = 0;
  virtual bool gone() = 0;  // nobody reads any more: a command that waits ends
};

// The process's own stdout and stderr.
class FileOutput final : public Output {
 public:
  FileOutput(int out_fd, int err_fd) : out_fd_(out_fd), err_fd_(err_fd) {}
  ~FileOutput() override { flush(); }
  FileOutput(const FileOutput&) = delete;
  FileOutput& operator=(const FileOutput&) = delete;

  void out(std::string_view text) override;
  void err(std::string_view text) override;
  void flush() override;
  bool gone() override { return false; }

 private:
  int out_fd_;
  int err_fd_;
  std::string held_;
};

enum class Format : std::uint8_t { text, json };
enum class Colour : std::uint8_t { off, on };

struct Style {
  Format format = Format::text;
  Colour colour = Colour::off;
  unsigned width = 100;  // columns; lines meant for tables are cut there

  bool json() const { return format == Format::json; }
};

enum class Ink : std::uint8_t { plain, bold, dim, red, green, yellow, cyan };

// The text in that ink, or as it is where colour is off.
std::string paint(const Style& style, Ink ink, std::string_view text);

// `{"type":"TYPE",...}` and a newline, of an object's JSON.
std::string typed(std::string_view type, std::string_view object_json);

// `alos: WHAT` and the details, indented, on stderr; with --json the error as an object on stdout
// as well.
void report(Output& output, const Style& style, const base::Error& error);

// The number of columns the text takes on a terminal, counted in characters.
std::size_t columns(std::string_view text);

}  // namespace alos::surface
