// find_files, search_files.
#include <fmt/format.h>

#include "base/text.h"
#include "tools/builtin/builtin.h"

namespace alos::tools {
namespace {

using base::Code;
using base::fail;
using base::Path;
using base::Result;

struct Place {
  Path base;
  std::string glob;  // below `base`
};

// The directories named before the first wildcard are where the search begins, so that it needs
// authority over no more than it asks for: src/net/**/*.cc searches beneath src/net.
Result<Place> split_pattern(std::string_view pattern, const Path& cwd) {
  if (pattern.empty()) return fail(Code::invalid, "`pattern` is empty", "for example **/*.md");
  const std::size_t literal_end = pattern.rfind('/', pattern.find_first_of("*?"));
  const std::string_view literal =
      literal_end == std::string_view::npos ? "" : pattern.substr(0, literal_end + 1);
  const std::string_view glob = pattern.substr(literal.size());
  if (literal == "/" && glob.find_first_of("*?") != std::string_view::npos)
    return fail(
        Code::invalid,
        fmt::format("pattern `{}` names no root", base::printable(base::shortened(pattern, 120))),
        "an absolute pattern begins with its root: /workspace/**/*.md");
  if (glob.empty())
    return fail(Code::invalid, "`pattern` ends in a slash", "add what to find there: src/**");
  TRY(Path::parse(glob));  // no `..`, no endless names
  return Place{literal.empty() ? cwd : TRY(Path::parse(literal, cwd)), std::string(glob)};
}

std::optional<bool> if_true(bool flag) { return flag ? std::optional(true) : std::nullopt; }

struct FindFiles {
  static constexpr std::string_view kName = "find_files";
  static constexpr std::string_view kDescription =
      "Find files by name, below the working directory or, when the pattern begins with /ROOT, "
      "there. `*` stands for "
      "anything within a name, `**` for any directories, `?` for one character: **/*.md, "
      "src/*_test.cpp.";
  struct Args {
    std::string pattern;
    ALOS_FIELDS(pattern)
  };
  struct Reply {
    std::vector<Path> files;
    std::optional<bool> truncated;
    ALOS_FIELDS(files, truncated)
  };

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    Place place = TRY(split_pattern(args.pattern, sys.cwd()));
    auto found = TRY(sys.call(abi::FsSearch{
        .path = place.base, .glob = std::move(place.glob), .matches_max = abi::kSearchMatchesMax}));
    Reply reply{{}, if_true(found.truncated)};
    for (auto& match : found.matches) reply.files.push_back(std::move(match.path));
    return reply;
  }
};

struct SearchFiles {
  static constexpr std::string_view kName = "search_files";
  static constexpr std::string_view kDescription =
      "Find the lines of text files that hold a plain text (case counts, no wildcards), below a "
      "directory.";
  struct Args {
    std::string pattern;
    std::optional<std::string> path;
    ALOS_FIELDS(pattern, path)
    static constexpr std::array<std::string_view, 2> kFieldDocs{
        "the text to look for, in one line",
        "the directory to search; default: the working directory"};
  };
  struct Reply {
    std::vector<abi::FsSearch::Match> matches;
    std::optional<bool> truncated;
    ALOS_FIELDS(matches, truncated)
  };

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    if (args.pattern.empty())
      return fail(Code::invalid, "`pattern` is empty", "find_files lists files by name");
    if (args.pattern.find('\n') != std::string::npos)
      return fail(Code::invalid, "`pattern` holds a line break; the search is by lines",
                  "look for a part of one line");
    const Path path = args.path ? TRY(Path::parse(*args.path, sys.cwd())) : sys.cwd();
    auto found = TRY(sys.call(abi::FsSearch{.path = path, .text = std::move(args.pattern)}));
    return Reply{std::move(found.matches), if_true(found.truncated)};
  }
};

}  // namespace

std::vector<Tool> search_tools() { return make_tools<FindFiles, SearchFiles>(); }

}  // namespace alos::tools
