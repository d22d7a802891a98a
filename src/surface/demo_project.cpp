#include "surface/demo_project.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace alos::surface {
namespace {

struct File {
  const char* path;
  const char* text;
};

constexpr File kFiles[] = {
    {"project/README.md",
     "# tally\n\nCounts words. `tally FILE` prints how often each word of a file occurs.\n"},
    {"project/.env", "PAYMENT_API_KEY=sk-live-this-is-the-secret\n"},
    {"project/docs/guide.md", "# Guide\n\nRun `tally notes.txt`.\n"},
    {"project/src/main.c",
     "#include \"tally.h\"\n\nint main(int argc, char** argv) {\n  // TODO(api): say how to use it "
     "when there is no argument\n"
     "  return tally_file(argv[1]);\n}\n"},
    {"project/src/tally.c",
     "#include \"tally.h\"\n\n#define MAX_WORD 64  // TODO(safety): longer words are cut\n\nint "
     "tally_file(const char* path) {\n"
     "  FILE* file = fopen(path, \"r\");\n  // TODO(safety): the file may not be there\n  return "
     "count(file);\n}\n"},
    {"project/src/tally.h",
     "#include <stdio.h>\n\nint tally_file(const char* path);\nint count(FILE* file);\n"},
    {"manifest.yaml",
     "alos: 1\nimage: coding\ngoal: Collect the TODOs of this project in TODO.md, and fix the easy "
     "one.\nmodel: script:./script.jsonl\n"
     "roots: {workspace: ./project}\n"
     "grants:\n"
     "  - read,list fs:/workspace/**\n"
     "  - write fs:/workspace/TODO.md\n"
     "  - write fs:/workspace/src/**\n"
     "  - write fs:/workspace/** ask\n"
     "  - read,list,write fs:/workspace/.env deny\n"
     "budget: {tool_calls: 50, wall: 10m}\n"},
    {"rules.yaml", "- approve: \"write fs:/workspace/docs/**\"\n"},
    {"script.jsonl",
     R"({"text":"Let me see what is here.","tool_calls":[{"name":"list_directory","arguments":{"path":"/workspace"}},{"name":"search_files","arguments":{"pattern":"TODO","path":"src"}}],"delay_ms":150}
{"text":"Three TODOs. I read the files, and what the program is configured with.","tool_calls":[{"name":"read_file","arguments":{"path":"src/main.c"}},{"name":"read_file","arguments":{"path":"src/tally.c"}},{"name":"read_file","arguments":{"path":".env"}}],"delay_ms":150}
{"text":"The secrets are not mine to read, and I do not need them. The report:","tool_calls":[{"name":"write_file","arguments":{"path":"TODO.md","content":"# TODO\n\n- src/main.c:4: say how to use it when there is no argument (done)\n- src/tally.c:3: words longer than 64 characters are cut\n- src/tally.c:7: the file may not be there\n"}}],"delay_ms":150}
{"text":"Now the easy one.","tool_calls":[{"name":"edit_file","arguments":{"path":"src/main.c","old":"  // TODO(api): say how to use it when there is no argument\n","new":"  if (argc < 2) return fprintf(stderr, \"tally FILE\\n\"), 2;\n"}}],"delay_ms":300}
{"text":"The guide should say so too; that is outside of what I may write, so I ask.","tool_calls":[{"name":"write_file","arguments":{"path":"docs/guide.md","content":"# Guide\n\nRun `tally notes.txt`. Without a file it says how to use it.\n"}}],"delay_ms":150}
{"tool_calls":[{"name":"exit","arguments":{"result":"TODO.md lists 3 TODOs; the one in src/main.c is fixed, and the guide says so."}}],"delay_ms":150}
)"},
};

}  // namespace

base::Result<DemoPlaces> make_demo_project() {
  namespace fs = std::filesystem;
  std::error_code error;
  std::string dir = (fs::temp_directory_path(error) / "alos-demo-XXXXXX").string();
  if (::mkdtemp(dir.data()) == nullptr)
    return base::fail(base::Code::unavailable, fmt::format("cannot make {}", dir),
                      "set TMPDIR to a directory you may write");
  for (const File& file : kFiles) {
    const fs::path path = fs::path(dir) / file.path;
    fs::create_directories(path.parent_path(), error);
    std::ofstream(path) << file.text;
    if (!fs::exists(path, error))
      return base::fail(base::Code::unavailable, fmt::format("cannot write {}", path.string()),
                        "set TMPDIR to a directory with room");
  }
  return DemoPlaces{dir, dir + "/project", dir + "/manifest.yaml", dir + "/rules.yaml",
                    dir + "/store"};
}

}  // namespace alos::surface
