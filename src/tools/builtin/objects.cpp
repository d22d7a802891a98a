// put_object, get_object, append_object, list_objects, and the bridge between objects and files.
//
// A file's text becomes a JSON string. Bytes that are no UTF-8 become
// {"encoding":"base64","data":"..."}, which object_to_file turns back.
#include <fmt/format.h>

#include "base/text.h"
#include "tools/builtin/builtin.h"
#include "tools/builtin/bytes.h"

namespace alos::tools {
namespace {

using base::Code;
using base::fail;
using base::Json;
using base::Path;
using base::Result;
using Space = std::optional<std::string>;

constexpr std::string_view kSpaceDoc = "the namespace: a pid; default: this process's own";

// The same value has the same name, also when the call runs again.
std::string name_of_value(std::string_view type, const Json& value) {
  return fmt::format("{}-{}", type, base::to_hex(value.digest()).substr(0, 8));
}

struct PutObject {
  static constexpr std::string_view kName = "put_object";
  static constexpr std::string_view kDescription =
      "Keep a value as an object: it outlives the conversation and can be read back by name. A new "
      "value under an old "
      "name is its next version.";
  struct Args {
    std::optional<std::string> name;
    std::string type;
    Json value;
    Space space;
    ALOS_NAMED_FIELDS("name, type, value, namespace", name, type, value, space)
    static constexpr std::array<std::string_view, 4> kFieldDocs{
        "its name; default: TYPE-DIGEST of the value",
        "what kind of value it is, as in note, plan, finding", "any JSON value", kSpaceDoc};
  };
  using Reply = abi::MemPut::Reply;

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    std::string name = args.name ? std::move(*args.name) : name_of_value(args.type, args.value);
    return sys.call(abi::MemPut{
        std::move(args.space), std::move(name), std::move(args.type), std::move(args.value), {}});
  }
};

struct GetObject {
  static constexpr std::string_view kName = "get_object";
  static constexpr std::string_view kDescription = "Read an object back by its name.";
  struct Args {
    std::optional<std::string> name;
    std::optional<std::string> oid;
    Space space;
    ALOS_NAMED_FIELDS("name, oid, namespace", name, oid, space)
    static constexpr std::array<std::string_view, 3> kFieldDocs{
        "its name", "the same as name; give one of the two", kSpaceDoc};
  };
  struct Reply {
    std::string name;
    std::string type;
    std::uint64_t version = 0;
    base::RawJson value;
    ALOS_FIELDS(name, type, version, value)
  };

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    if (args.name.has_value() == args.oid.has_value())
      return fail(Code::invalid, "arguments of get_object: give `name`, or `oid`, and only one",
                  "list_objects shows the names");
    const std::string name = std::move(args.name ? *args.name : *args.oid);
    auto got = TRY(sys.call(abi::MemGet{std::move(args.space), name}));
    std::string value = TRY(bytes_of(std::move(got.value)));
    return Reply{name, std::move(got.type), got.version, {std::move(value)}};
  }
};

struct AppendObject {
  static constexpr std::string_view kName = "append_object";
  static constexpr std::string_view kDescription =
      "Add an item to the end of an object that is an array, or text to the end of one that is a "
      "string.";
  struct Args {
    std::string name;
    Json item;
    Space space;
    ALOS_NAMED_FIELDS("name, item, namespace", name, item, space)
    static constexpr std::array<std::string_view, 3> kFieldDocs{"the object", "any JSON value",
                                                                kSpaceDoc};
  };
  using Reply = abi::MemAppend::Reply;

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    return sys.call(
        abi::MemAppend{std::move(args.space), std::move(args.name), std::move(args.item)});
  }
};

struct ListObjects {
  static constexpr std::string_view kName = "list_objects";
  static constexpr std::string_view kDescription =
      "List the objects of a namespace: name, type, version and size.";
  struct Args {
    Space space;
    ALOS_NAMED_FIELDS("namespace", space)
    static constexpr std::array<std::string_view, 1> kFieldDocs{kSpaceDoc};
  };
  using Reply = abi::MemList::Reply;

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    return sys.call(abi::MemList{std::move(args.space)});
  }
};

struct Packed {
  std::string encoding;
  std::string data;
  ALOS_FIELDS(encoding, data)
};

Json value_of_bytes(const std::string& bytes) {
  if (!base::is_utf8(bytes))
    return Json::trusted(base::to_json(Packed{"base64", to_base64(bytes)}));
  return Json::trusted(base::to_json(bytes));
}

// The bytes a value stands for in a file.
Result<std::string> bytes_of_value(std::string json) {
  if (!json.starts_with('"') && !json.starts_with(R"({"encoding":)")) return json;
  const auto document = TRY(base::Document::parse(json, base::Source::outside));
  if (const auto text = document.root().string()) return std::string(*text);
  Packed packed;
  const bool is_packed =
      base::decode(document.root(), packed).has_value() && packed.encoding == "base64";
  if (!is_packed) return json;
  return from_base64(packed.data);
}

struct ObjectFromFile {
  static constexpr std::string_view kName = "object_from_file";
  static constexpr std::string_view kDescription =
      "Take a whole file into an object, without showing it: text as a string, other bytes as "
      "Base64.";
  struct Args {
    std::string path;
    std::optional<std::string> name;
    std::optional<std::string> type;
    Space space;
    ALOS_NAMED_FIELDS("path, name, type, namespace", path, name, type, space)
    static constexpr std::array<std::string_view, 4> kFieldDocs{
        "the file", "the object's name; default: the file's", "default: text, or binary",
        kSpaceDoc};
  };
  struct Reply {
    std::string name;
    std::uint64_t version = 0;
    std::string type;
    std::uint64_t file_bytes = 0;
    ALOS_FIELDS(name, version, type, file_bytes)
  };

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    const Path path = TRY(Path::parse(args.path, sys.cwd()));
    auto read = TRY(sys.call(abi::FsRead{.path = path}));
    const std::string bytes = TRY(bytes_of(std::move(read.content)));
    const std::string type = args.type.value_or(base::is_utf8(bytes) ? "text" : "binary");
    std::string name = args.name.value_or(std::string(path.name()));
    auto put = TRY(sys.call(
        abi::MemPut{std::move(args.space), std::move(name), type, value_of_bytes(bytes), {}}));
    return Reply{std::move(put.name), put.version, type, read.file_bytes};
  }
};

struct ObjectToFile {
  static constexpr std::string_view kName = "object_to_file";
  static constexpr std::string_view kDescription =
      "Write an object's value to a file, without showing it: a string as text, what came as "
      "Base64 as its bytes, "
      "anything else as JSON. Replaces the file.";
  struct Args {
    std::string name;
    std::string path;
    Space space;
    ALOS_NAMED_FIELDS("name, path, namespace", name, path, space)
    static constexpr std::array<std::string_view, 3> kFieldDocs{"the object", "the file",
                                                                kSpaceDoc};
  };
  struct Reply {
    Path path;
    std::uint64_t bytes = 0;
    bool created = false;
    ALOS_FIELDS(path, bytes, created)
  };

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    const Path path = TRY(Path::parse(args.path, sys.cwd()));
    auto got = TRY(sys.call(abi::MemGet{std::move(args.space), args.name}));
    auto bytes = bytes_of_value(TRY(bytes_of(std::move(got.value))));
    if (!bytes)
      return fail(Code::invalid,
                  fmt::format("object `{}`: {}", base::printable(args.name), bytes.error().what),
                  "put_object it as a plain string, or as Base64 with padding");
    const auto wrote = TRY(sys.call(abi::FsWrite{.path = path, .content = std::move(*bytes)}));
    return Reply{path, wrote.bytes, wrote.created};
  }
};

}  // namespace

std::vector<Tool> object_tools() {
  return make_tools<PutObject, GetObject, AppendObject, ListObjects, ObjectFromFile,
                    ObjectToFile>();
}

}  // namespace alos::tools
