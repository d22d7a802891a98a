// Table: rows for people. Columns as wide as their widest cell; the last one is cut at the width of
// the terminal.
#pragma once

#include <string>
#include <vector>

#include "surface/output.h"

namespace alos::surface {

struct Cell {
  std::string text;  // printable
  Ink ink = Ink::plain;

  // NOLINTBEGIN(google-explicit-constructor): a row is written as its texts.
  Cell(std::string cell_text) : text(std::move(cell_text)) {}
  Cell(const char* cell_text) : text(cell_text) {}
  // NOLINTEND(google-explicit-constructor)
  Cell(std::string cell_text, Ink cell_ink) : text(std::move(cell_text)), ink(cell_ink) {}
};

class Table {
 public:
  explicit Table(std::vector<std::string> head) : head_(std::move(head)) {}
  void add(std::vector<Cell> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.empty(); }
  std::string text(const Style& style) const;

 private:
  std::vector<std::string> head_;
  std::vector<std::vector<Cell>> rows_;
};

// At most `count` columns of the text, with … when cut.
std::string cut(std::string_view text, std::size_t count);

}  // namespace alos::surface
