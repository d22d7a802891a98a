#include "kernel/preview.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/json.h"
#include "base/text.h"

namespace alos::kernel {
namespace {

constexpr std::size_t kLinesMax = 60;
constexpr std::size_t kBytesMax = 6 * 1024;
constexpr std::size_t kLineBytesMax = 400;
constexpr std::size_t kTailBytes = 80;
constexpr std::size_t kContext = 3;
// Beyond it a change is shown as all old lines and then all new ones: the work is bounded.
constexpr std::size_t kWorkMax = 1'000'000;

using Lines = std::vector<std::string_view>;

Lines lines_of(std::string_view text) {
  Lines out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    out.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  }
  return out;
}

// Both ends of a long line: what matters may stand behind much that does not.
std::string ends_of(std::string_view line) {
  std::string_view tail = line.substr(line.size() - kTailBytes);
  while (!tail.empty() && (static_cast<unsigned char>(tail.front()) & 0xC0U) == 0x80)
    tail.remove_prefix(1);
  return fmt::format("{} ({} bytes) … {}",
                     base::printable(base::shortened(line, kLineBytesMax - kTailBytes)),
                     line.size(), base::printable(tail));
}

// Lines for a person, of which no more than they read are kept; the rest is counted.
class Page {
 public:
  void add(char mark, std::string_view line) {
    if (lines_ == kLinesMax || text_.size() > kBytesMax) return void(++left_out_);
    text_ += mark;
    text_ += line.size() <= kLineBytesMax ? base::printable(line) : ends_of(line);
    text_ += '\n';
    ++lines_;
  }
  void head(const std::string& line) {
    if (lines_ == kLinesMax || text_.size() > kBytesMax) return;
    text_ += line + '\n';
    ++lines_;
  }
  std::string text() && {
    if (left_out_ > 0)
      text_ += fmt::format("… {} more line{}\n", left_out_, left_out_ == 1 ? "" : "s");
    return std::move(text_);
  }

 private:
  std::string text_;
  std::size_t lines_ = 0;
  std::size_t left_out_ = 0;
};

struct Edit {
  char mark;  // ' ' kept, '-' gone, '+' new
  std::string_view line;
};

// The middle, where the two differ, by the longest common subsequence of lines.
void add_middle(std::vector<Edit>& out, const Lines& before, const Lines& after) {
  const std::size_t rows = before.size(), columns = after.size();
  if (rows * columns > kWorkMax) {
    for (const std::string_view line : before) out.push_back({'-', line});
    for (const std::string_view line : after) out.push_back({'+', line});
    return;
  }
  std::vector<std::uint32_t> common((rows + 1) * (columns + 1), 0);
  const auto at = [&](std::size_t i, std::size_t j) -> std::uint32_t& {
    return common[i * (columns + 1) + j];
  };
  for (std::size_t i = rows; i-- > 0;)
    for (std::size_t j = columns; j-- > 0;)
      at(i, j) =
          before[i] == after[j] ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
  std::size_t i = 0, j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && before[i] == after[j])
      out.push_back({' ', before[i]}), ++i, ++j;
    else if (i < rows && (j == columns || at(i + 1, j) >= at(i, j + 1)))
      out.push_back({'-', before[i++]});
    else
      out.push_back({'+', after[j++]});
  }
}

std::vector<Edit> edits_of(const Lines& before, const Lines& after) {
  const std::size_t least = std::min(before.size(), after.size());
  std::size_t first = 0, last = 0;
  while (first < least && before[first] == after[first]) ++first;
  while (last < least - first && before[before.size() - 1 - last] == after[after.size() - 1 - last])
    ++last;
  const auto middle = [&](const Lines& lines) {
    return Lines(lines.begin() + static_cast<std::ptrdiff_t>(first),
                 lines.end() - static_cast<std::ptrdiff_t>(last));
  };
  std::vector<Edit> out;
  for (std::size_t i = 0; i < first; ++i) out.push_back({' ', before[i]});
  add_middle(out, middle(before), middle(after));
  for (std::size_t i = before.size() - last; i < before.size(); ++i)
    out.push_back({' ', before[i]});
  return out;
}

// A unified diff: hunks of changes with the lines around them.
void add_diff(Page& page, const std::vector<Edit>& edits) {
  std::size_t old_line = 1, new_line = 1;
  for (std::size_t at = 0; at < edits.size();) {
    // The next change, and how far the hunk around it reaches.
    std::size_t change = at;
    while (change < edits.size() && edits[change].mark == ' ') ++change;
    if (change == edits.size()) return;
    const std::size_t first = std::max(at, change - std::min(change, kContext));
    std::size_t last = change;  // the hunk's last change
    for (std::size_t i = change; i < edits.size() && i <= last + 2 * kContext + 1; ++i)
      if (edits[i].mark != ' ') last = i;
    const std::size_t end = std::min(last + kContext + 1, edits.size());
    old_line += first - at, new_line += first - at;
    std::size_t olds = 0, news = 0;
    for (std::size_t i = first; i < end; ++i) {
      olds += edits[i].mark != '+' ? 1 : 0;
      news += edits[i].mark != '-' ? 1 : 0;
    }
    page.head(fmt::format("@@ -{},{} +{},{} @@", olds == 0 ? old_line - 1 : old_line, olds,
                          news == 0 ? new_line - 1 : new_line, news));
    for (std::size_t i = first; i < end; ++i) page.add(edits[i].mark, edits[i].line);
    old_line += olds, new_line += news;
    at = end;
  }
}

bool is_text(std::string_view content) {
  return base::is_utf8(content) && content.find('\0') == std::string_view::npos;
}

std::string_view end_note(std::string_view before, std::string_view after) {
  const bool had = before.ends_with('\n'), has = after.ends_with('\n');
  if (had == has || before.empty() || after.empty()) return {};
  return has ? "; the last line now ends" : "; the last line no longer ends";
}

std::string head_of(const abi::FsWrite& call, const Before& before) {
  const std::string_view content = call.content.data;
  std::string_view how = "create or replace with";
  if (before.is == Before::Is::nothing || call.existing == abi::Existing::must_not)
    how = "create with";
  if (before.is == Before::Is::file) how = "replace a file too large to compare with";
  if (call.content.blob || !is_text(content))
    return fmt::format("{} {} bytes that are not text\n", how, call.content.size_bytes());
  Page page;
  page.head(fmt::format("{} {} bytes:", how, content.size()));
  for (const std::string_view line : lines_of(content)) page.add('+', line);
  return std::move(page).text();
}

// What an agent wrote, each line marked, so that none looks like a line of ours.
void add_quoted(Page& page, std::string_view what, const base::Payload& text) {
  if (text.blob) return page.add(' ', fmt::format("{}: {} bytes", what, text.size_bytes()));
  page.add(' ', fmt::format("{}:", what));
  for (const std::string_view line : lines_of(text.data)) page.add('>', line);
}

void add_object(Page& page, const std::optional<std::string>& space, std::string_view name) {
  page.add(' ', fmt::format("object: {}{}{}", space.value_or(""), space ? "/" : "", name));
}

std::string limits_text(const std::optional<abi::Budget>& budget) {
  std::string out;
  for (std::size_t i = 0; budget && i < abi::kBudgetKinds; ++i) {
    const auto kind = static_cast<abi::BudgetKind>(i);
    if (const auto& limit = budget->limit(kind))
      out += fmt::format("{}{} {}", out.empty() ? "" : ", ", base::name_of(kind),
                         abi::amount_text(kind, *limit));
  }
  return out.empty() ? "what the caller has left" : out;
}

}  // namespace

std::string preview_of(const abi::FsWrite& call, const Before& before) {
  if (!before.content) return head_of(call, before);
  const std::string_view after = call.content.data;
  const std::string sizes = fmt::format("replace {} bytes with {} bytes", before.content->size(),
                                        call.content.size_bytes());
  if (call.content.blob || !is_text(after) || !is_text(*before.content))
    return sizes + ", not text\n";
  if (*before.content == after) return sizes + ": the same\n";
  Page page;
  page.head(fmt::format("{}{}:", sizes, end_note(*before.content, after)));
  add_diff(page, edits_of(lines_of(*before.content), lines_of(after)));
  return std::move(page).text();
}

std::string preview_of(const abi::FsMove& call) {
  return fmt::format("move {} to {}\n", base::printable(call.from.text()),
                     base::printable(call.to.text()));
}

std::string preview_of(const abi::FsRemove& call) {
  return fmt::format("delete {} (a file, a link or an empty directory)\n",
                     base::printable(call.path.text()));
}

std::string preview_of(const abi::FsMkdir& call) {
  return fmt::format("make the directory {}{}\n", base::printable(call.path.text()),
                     call.parents ? ", and those above it that are missing" : "");
}

std::string preview_of(const abi::ProcChdir& call) {
  return fmt::format("set the working directory to {}\n", base::printable(call.path.text()));
}

// What it is handed comes first: a long goal must not push it off the page.
std::string preview_of(const abi::ProcSpawn& call) {
  Page page;
  page.head("start a process");
  page.add(' ', "image: " + call.image);
  page.add(' ', "name: " + call.name);
  if (call.grants.empty()) page.add(' ', "handed on: no grant");
  for (const abi::Grant& grant : call.grants) page.add(' ', "handed on: " + grant.to_text());
  page.add(' ', "budget: " + limits_text(call.budget));
  add_quoted(page, "goal", call.goal);
  return std::move(page).text();
}

std::string preview_of(const abi::MemPut& call) {
  Page page;
  page.head(fmt::format("put the object, {} bytes:", call.value.size_bytes()));
  add_object(page, call.space, call.name);
  page.add(' ', "type: " + call.type);
  if (call.expected_version)
    page.add(' ', fmt::format("only over version: {}", *call.expected_version));
  add_quoted(page, "value", call.value);
  return std::move(page).text();
}

std::string preview_of(const abi::MemAppend& call) {
  Page page;
  page.head("add to the object");
  add_object(page, call.space, call.name);
  add_quoted(page, "item", call.item);
  return std::move(page).text();
}

std::string preview_of(const abi::HumanAsk& call) {
  Page page;
  page.head("ask a person");
  page.add(' ', "whom: " + call.to);
  add_quoted(page, "question", base::Text(call.question));
  for (const std::string& choice : call.choices) page.add(' ', "choice: " + choice);
  return std::move(page).text();
}

std::string preview_of(const abi::HumanTell& call) {
  Page page;
  page.head("tell a person");
  page.add(' ', "whom: " + call.to);
  add_quoted(page, "text", base::Text(call.text));
  return std::move(page).text();
}

std::string preview_of(const abi::CapRequest& call) {
  Page page;
  page.head("ask the owner for more authority");
  for (const abi::Grant& grant : call.grants) page.add(' ', "wanted: " + grant.to_text());
  add_quoted(page, "reason", base::Text(call.reason));
  return std::move(page).text();
}

std::string preview_of(std::string_view name, std::string_view arguments) {
  Page page;
  page.head(fmt::format("{} with", base::printable(name)));
  const auto document = base::Document::parse(arguments, base::Source::outside);
  if (!document || !document->root().is_object()) {
    page.add(' ', arguments);
    return std::move(page).text();
  }
  for (std::size_t i = 0; i < document->root().size(); ++i) {
    const auto [key, value] = document->root().member(i);
    page.add(' ', fmt::format("{}: {}", key, value.canonical()));
  }
  return std::move(page).text();
}

}  // namespace alos::kernel
