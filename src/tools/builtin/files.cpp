// read_file, write_file, edit_file, list_directory, make_directory, move_file, delete_file.
#include <fmt/format.h>

#include "base/text.h"
#include "tools/builtin/builtin.h"
#include "tools/builtin/bytes.h"

namespace alos::tools {
namespace {

using base::Code;
using base::fail;
using base::Path;
using base::Result;

struct ReadFile {
  static constexpr std::string_view kName = "read_file";
  static constexpr std::string_view kDescription =
      "Read a UTF-8 text file. Paths are /ROOT/dir/file, or relative to the working directory. A "
      "long file comes in "
      "parts: when the result has next_offset, call again with that offset.";
  struct Args {
    std::string path;
    std::optional<std::uint64_t> offset;
    std::optional<std::uint64_t> limit;
    ALOS_FIELDS(path, offset, limit)
    static constexpr std::array<std::string_view, 3> kFieldDocs{
        "the file", "first byte to read; default 0", "bytes to read at most; default 262144"};
  };
  struct Reply {
    std::string content;
    std::uint64_t file_bytes = 0;
    std::optional<std::uint64_t> next_offset;
    ALOS_FIELDS(content, file_bytes, next_offset)
  };

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    const std::uint64_t offset = args.offset.value_or(0);
    const std::uint64_t limit = args.limit.value_or(kReadBytesDefault);
    if (limit == 0)
      return fail(Code::invalid, "`limit` is 0", "leave it out to read up to 262144 bytes");
    const Path path = TRY(Path::parse(args.path, sys.cwd()));
    auto read = TRY(sys.call(abi::FsRead{path, args.offset, limit}));
    std::string content = TRY(bytes_of(std::move(read.content)));
    const bool to_end = offset + content.size() >= read.file_bytes;
    const Window window = whole_characters(content, offset == 0 ? Edge::whole : Edge::cut,
                                           to_end ? Edge::whole : Edge::cut);
    if (!base::is_utf8(window.text))
      return fail(
          Code::invalid,
          fmt::format("{} is binary, not UTF-8 text ({} bytes)", path.text(), read.file_bytes),
          "object_from_file takes it into an object as it is");
    if (window.text.empty() && !to_end)
      return fail(Code::invalid,
                  fmt::format("a limit of {} bytes cuts a character of {}", limit, path.text()),
                  "use a limit of 4 or more");
    Reply reply{std::string(window.text), read.file_bytes, {}};
    const std::uint64_t next = offset + window.skipped + window.text.size();
    if (!to_end) reply.next_offset = next;
    return reply;
  }
};

struct WriteFile {
  static constexpr std::string_view kName = "write_file";
  static constexpr std::string_view kDescription =
      "Write a whole file: creates it, or replaces all of its content. To change a part of a file "
      "use edit_file.";
  struct Args {
    std::string path;
    base::Text content;
    ALOS_FIELDS(path, content)
    static constexpr std::array<std::string_view, 2> kFieldDocs{"the file",
                                                                "its complete new content"};
  };
  struct Reply {
    Path path;
    std::uint64_t bytes = 0;
    bool created = false;
    ALOS_FIELDS(path, bytes, created)
  };

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    const Path path = TRY(Path::parse(args.path, sys.cwd()));
    const auto wrote =
        TRY(sys.call(abi::FsWrite{.path = path, .content = std::move(args.content)}));
    return Reply{path, wrote.bytes, wrote.created};
  }
};

std::string edit_hint(std::string_view text, std::string_view old) {
  std::string trimmed(old.substr(std::min(old.find_first_not_of(" \t\r\n"), old.size())));
  trimmed.erase(trimmed.find_last_not_of(" \t\r\n") + 1);
  if (!trimmed.empty() && text.find(trimmed) != std::string_view::npos)
    return "without the white space around it, it is there: copy the white space from the file "
           "exactly";
  if (text.find("\r\n") != std::string_view::npos && old.find('\n') != std::string_view::npos)
    return "the file's lines end in \\r\\n; write \\r\\n in `old` too";
  return "read_file shows the present text; `old` must match it byte for byte";
}

struct EditFile {
  static constexpr std::string_view kName = "edit_file";
  static constexpr std::string_view kDescription =
      "Replace a piece of text in a file. `old` must be exactly in the file, white space included, "
      "and only once "
      "unless `all` is true: give enough of the lines around it.";
  struct Args {
    std::string path;
    std::string old_text;
    std::string new_text;
    std::optional<bool> all;
    ALOS_NAMED_FIELDS("path, old, new, all", path, old_text, new_text, all)
    static constexpr std::array<std::string_view, 4> kFieldDocs{
        "the file", "the text to replace, exactly as it is in the file", "the text to put there",
        "true: replace every place; default false"};
  };
  struct Reply {
    Path path;
    std::uint64_t replaced = 0;
    std::uint64_t bytes = 0;
    ALOS_FIELDS(path, replaced, bytes)
  };

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    if (args.old_text.empty())
      return fail(Code::invalid, "`old` is empty", "write_file makes or replaces a whole file");
    if (args.old_text == args.new_text)
      return fail(Code::invalid, "`old` and `new` are the same", "nothing would change");
    const Path path = TRY(Path::parse(args.path, sys.cwd()));
    auto read = TRY(sys.call(abi::FsRead{.path = path}));
    const std::string text = TRY(bytes_of(std::move(read.content)));
    Replaced changed = replace_all(text, args.old_text, args.new_text);
    if (changed.count == 0)
      return fail(Code::not_found, fmt::format("`old` is not in {}", path.text()),
                  edit_hint(text, args.old_text));
    if (changed.count > 1 && !args.all.value_or(false))
      return fail(Code::conflict,
                  fmt::format("`old` is {} times in {}", changed.count, path.text()),
                  "give more of the lines around the one place, or all: true");
    const auto wrote = TRY(
        sys.call(abi::FsWrite{path, std::move(changed.text), abi::Existing::must, read.digest}));
    return Reply{path, changed.count, wrote.bytes};
  }
};

struct PathArgs {
  std::string path;
  ALOS_FIELDS(path)
};
struct PathReply {
  Path path;
  ALOS_FIELDS(path)
};

struct ListDirectory {
  static constexpr std::string_view kName = "list_directory";
  static constexpr std::string_view kDescription =
      "List what is in a directory, by name. What this process may not see is left out. `.` is the "
      "working directory.";
  using Args = PathArgs;
  struct Reply {
    Path path;
    std::vector<abi::FsList::Entry> entries;
    std::optional<bool> truncated;
    ALOS_FIELDS(path, entries, truncated)
  };

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    const Path path = TRY(Path::parse(args.path, sys.cwd()));
    auto list = TRY(sys.call(abi::FsList{path}));
    return Reply{path, std::move(list.entries),
                 list.truncated ? std::optional(true) : std::nullopt};
  }
};

struct MakeDirectory {
  static constexpr std::string_view kName = "make_directory";
  static constexpr std::string_view kDescription =
      "Make a directory, and the ones above it where they are missing.";
  using Args = PathArgs;
  struct Reply {
    Path path;
    bool created = false;
    ALOS_FIELDS(path, created)
  };

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    const Path path = TRY(Path::parse(args.path, sys.cwd()));
    const bool created = TRY(sys.call(abi::FsMkdir{path, true})).created;
    return Reply{path, created};
  }
};

struct MoveFile {
  static constexpr std::string_view kName = "move_file";
  static constexpr std::string_view kDescription =
      "Move or rename a file within one root. The target must not exist yet.";
  struct Args {
    std::string from;
    std::string to;
    ALOS_FIELDS(from, to)
    static constexpr std::array<std::string_view, 2> kFieldDocs{"the file",
                                                                "its new path, with the file name"};
  };
  struct Reply {
    Path from;
    Path to;
    ALOS_FIELDS(from, to)
  };

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    const Path from = TRY(Path::parse(args.from, sys.cwd()));
    const Path to = TRY(Path::parse(args.to, sys.cwd()));
    Reply reply{from, to};
    TRY(sys.call(abi::FsMove{reply.from, reply.to}));
    return reply;
  }
};

struct DeleteFile {
  static constexpr std::string_view kName = "delete_file";
  static constexpr std::string_view kDescription = "Delete one file, link or empty directory.";
  using Args = PathArgs;
  using Reply = PathReply;

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    const Path path = TRY(Path::parse(args.path, sys.cwd()));
    TRY(sys.call(abi::FsRemove{path}));
    return Reply{path};
  }
};

}  // namespace

std::vector<Tool> file_tools() {
  return make_tools<ReadFile, WriteFile, EditFile, ListDirectory, MakeDirectory, MoveFile,
                    DeleteFile>();
}

}  // namespace alos::tools
