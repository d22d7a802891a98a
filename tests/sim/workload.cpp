#include "sim/workload.h"

#include <array>

namespace alos::sim {
namespace {

constexpr std::uint64_t kTurnsMax = 5;
constexpr std::size_t kLargeBytes = 3000;  // more than a record holds: it becomes a blob

std::string json_quoted(std::string_view text) {
  std::string out;
  base::append_json_string(out, text);
  return out;
}

// Sleeping and asking under capabilities of limited uses. A use is taken by an intent, and then the
// call waits.
void limit_waits(kernel::Launch& launch, const std::string& name) {
  launch.base = kernel::Launch::Base::none;
  for (const std::string& text :
       {"execute model:sim/" + name, std::string("execute clock:sleep uses=2"),
        std::string("read human:owner uses=2"), std::string("read clock:now uses=1"),
        std::string("execute image:sim")}) {
    auto grant = abi::Grant::from_text(text);
    CHECK(grant.has_value());
    launch.grants.push_back(std::move(*grant));
  }
}

// One agent's imagination.
class Author {
 public:
  Author(std::uint64_t seed, const std::string& name, std::uint32_t turn)
      : random_(mix(mix(seed, name), std::to_string(turn))),
        own_(name),
        name_(family_of(name)),
        turn_(turn),
        places_(places_of(name_)) {}

  abi::ToolRequest request(std::size_t i) {
    id_ = fmt::format("c{}", i + 1);
    if (random_.one_in(30)) return {id_, "read_file", "{\"path\": \"/workspace/"};
    if (random_.one_in(40)) return {id_, "launch_rocket", "{}"};
    if (random_.one_in(40)) return {id_, "read_file", R"({"path": 7})"};
    const std::uint64_t kind = random_.below(34);
    return kind < 16 ? files(kind) : kind < 28 ? other(kind) : family(kind);
  }

  std::uint64_t below(std::uint64_t n) { return random_.below(n); }

 private:
  abi::ToolRequest call(std::string tool, std::string arguments) {
    return {id_, std::move(tool), base::Text(std::move(arguments))};
  }
  std::string place() { return json_quoted(random_.pick(places_)); }
  std::string content() {
    std::string text = fmt::format("alpha {} {} {}\n", name_, turn_, id_);
    if (random_.one_in(5)) text += std::string(kLargeBytes, 'x') + "\n";
    return json_quoted(text);
  }

  abi::ToolRequest files(std::uint64_t kind) {
    switch (kind) {
      case 0:
      case 1:
      case 2: return call("read_file", fmt::format(R"({{"path":{}}})", place()));
      case 3:
      case 4:
      case 5:
      case 6:
        return call("write_file", fmt::format(R"({{"path":{},"content":{}}})", place(), content()));
      case 7:
      case 8:
        return call(
            "edit_file",
            fmt::format(R"({{"path":{},"old":"alpha","new":"alpha beta","all":true}})", place()));
      case 9: return call("list_directory", fmt::format(R"({{"path":"/workspace/{}"}})", name_));
      case 10:
        return call("search_files",
                    fmt::format(R"({{"pattern":"alpha","path":"/workspace/{}"}})", name_));
      case 11: return call("find_files", fmt::format(R"({{"pattern":"/workspace/{}/**"}})", name_));
      case 12:
        return call("make_directory", fmt::format(R"({{"path":"/workspace/{}/made/d{}"}})",
                                                  random_.one_in(3) ? "shared" : name_, turn_));
      case 13:
      case 14:
        return call("move_file", fmt::format(R"({{"from":{},"to":"/workspace/{}/moved{}.txt"}})",
                                             place(), name_, turn_));
      default: return call("delete_file", fmt::format(R"({{"path":{}}})", place()));
    }
  }

  // Children, what they are handed, and what is given up.
  abi::ToolRequest family(std::uint64_t kind) {
    const std::string own = "fs:/workspace/" + name_;
    const std::string grant = random_.pick<std::string>(
        {"read,list " + own + "/**", "write " + own + "/sub/** ask", "read,write " + own + "/**",
         "read,write " + own + "/limited/** uses=2", "write " + own + "/sub/**"});
    const std::string kid = own_ + "k";
    if (kind < 30 && own_.size() < 5)
      return call(
          "spawn_process",
          fmt::format(R"({{"goal":"Help.","name":"{}","image":"sim","grants":["{}"]{}}})", kid,
                      grant, random_.one_in(3) ? R"(,"budget":["tool_calls=2"])" : ""));
    if (kind == 32)
      return call("send_message",
                  fmt::format(R"({{"to":"{}","text":"{} {} {}"}})",
                              random_.pick<std::string>({"1.1", "2.1", "3.1", "parent", kid}), own_,
                              turn_, id_));
    if (kind == 33)
      return call("receive_message",
                  random_.one_in(3) ? R"({"timeout_s":4000})" : R"({"timeout_s":30})");
    if (kind == 30)
      return random_.one_in(2) ? call("wait_process", fmt::format(R"({{"pid":"{}"}})", kid))
                               : call("delegate_capability",
                                      fmt::format(R"({{"to":"{}","grant":"{}"}})", kid, grant));
    return random_.one_in(2)
               ? call("drop_capability", fmt::format(R"({{"id":"1.c{}"}})", 1 + random_.below(12)))
               : call("list_processes", "{}");
  }

  abi::ToolRequest other(std::uint64_t kind) {
    switch (kind) {
      case 16:
        return call("put_object", fmt::format(R"({{"name":"o{}","type":"note","value":{}}})",
                                              random_.below(3), content()));
      case 17: return call("put_object", R"({"name":"list","type":"list","value":[]})");
      case 18: return call("get_object", fmt::format(R"({{"name":"o{}"}})", random_.below(3)));
      case 19:
        return call("append_object", fmt::format(R"({{"name":"{}","item":{}}})",
                                                 random_.one_in(2) ? "list" : "o1", content()));
      case 20: return call("list_objects", random_.one_in(4) ? R"({"namespace":"99.1"})" : "{}");
      case 21:
        return call("sleep", fmt::format(R"({{"seconds":{}}})",
                                         random_.pick<std::uint64_t>({0, 1, 60, 4000})));
      case 22:
        return call("ask_human", random_.one_in(2) ? R"({"question":"which?","choices":["a","b"]})"
                                                   : R"({"question":"what?"})");
      case 23: return call("tell_human", R"({"text":"all is well"})");
      case 24:
        return call(
            "request_permission",
            fmt::format(
                R"({{"grants":["write fs:/workspace/other/{}.txt{}"],"reason":"the work needs it"}})",
                name_, random_.one_in(2) ? " uses=1" : ""));
      case 25: return random_.one_in(2) ? call("list_capabilities", "{}") : call("get_time", "{}");
      case 26:
        return call("set_working_directory", fmt::format(R"({{"path":"/workspace/{}{}"}})", name_,
                                                         random_.one_in(2) ? "/sub" : ""));
      default:
        return random_.one_in(3)
                   ? call("exit", R"({"result":"as far as it goes"})")
                   : call("object_from_file", fmt::format(R"({{"path":{}}})", place()));
    }
  }

  Random random_;
  std::string own_;   // of the process
  std::string name_;  // of the agent that all of its kind come from
  std::uint32_t turn_;
  std::vector<std::string> places_;
  std::string id_;
};

}  // namespace

std::string family_of(const std::string& name) { return name.substr(0, name.find('k')); }

std::vector<std::string> places_of(const std::string& name) {
  const std::string own = "/workspace/" + name + "/";
  return {own + "a.txt",
          own + "b.txt",
          own + "sub/c.txt",
          own + "sub/d.txt",
          own + "asked/x.txt",
          own + "asked/n.txt",
          own + "limited/l.txt",
          own + "literal.txt",
          own + "literal.txt",
          own + "soft",
          own + "soon/t.txt",
          own + "a.txt",
          own + ".git/hooks/run",
          own + "secret/key",
          own + "bad",
          own + "outside",
          own + "limited/l.txt",
          "relative.txt",
          "/workspace/shared/s.txt",
          "/workspace/shared/n.txt",
          "/workspace/other/" + name + ".txt",
          "/elsewhere/x.txt",
          own + "asked/n.txt",
          own + "asked/n.txt",
          own + "asked/x.txt"};
}

void furnish(SimFiles& files, const std::string& name) {
  const std::string own = "/workspace/" + name + "/";
  for (const char* place : {"a.txt", "sub/c.txt", "asked/x.txt", "limited/l.txt", "literal.txt",
                            "soon/t.txt", "secret/key", ".git/hooks/run"})
    files.put(own + place, {abi::FileKind::file, fmt::format("alpha {}\n", place)});
  files.put(own + "b.txt", {abi::FileKind::file, "alpha\n" + std::string(kLargeBytes, 'b') + "\n"});
  files.put(own + "soft", {abi::FileKind::symlink, own + "a.txt"});
  files.put(own + "bad", {abi::FileKind::symlink, own + "secret/key"});
  files.put(own + "outside", {abi::FileKind::symlink, "/etc/passwd"});
  files.put("/workspace/shared/s.txt", {abi::FileKind::file, "alpha shared\n"});
  files.put("/workspace/other/o.txt", {abi::FileKind::file, "alpha other\n"});
}

kernel::Launch launch_of(std::uint64_t seed, const std::string& name, base::Time now,
                         const std::vector<std::string>& tools) {
  Random random(mix(mix(seed, name), "launch"));
  const std::string own = "fs:/workspace/" + name;
  kernel::Launch launch;
  launch.name = name;
  launch.image = "sim";
  launch.prompt = "A simulated agent.";
  launch.tools = tools;
  launch.goal = "Work.";
  launch.model = "sim/" + name;
  launch.roots = {{"workspace", "/srv/workspace"}};
  const auto cwd = base::Path::parse("/workspace/" + name);
  CHECK(cwd.has_value());
  launch.cwd = *cwd;
  launch.people = {{"ada", {"ops"}}, {"bo", {"ops"}}};
  const std::string silence = random.one_in(3) ? " within=40s" : "";
  for (const std::string& text : std::vector<std::string>{
           "read,list " + own + "/** delegate",
           "write " + own + "/**" + (random.one_in(4) ? " ask delegate" : " delegate"),
           "read,write " + own + "/asked/** ask" + silence +
               (!silence.empty() && random.one_in(2) ? " else=allow" : ""),
           "write " + own + "/sub/**" + (random.one_in(3) ? " ask 2 of owner,ops" : " ask"),
           "write " + own + "/literal.txt ask" + (random.one_in(3) ? " uses=1" : ""),
           "read,write " + own + "/limited/** uses=" + std::to_string(1 + random.below(3)) +
               " delegate",
           "write " + own + "/soon/** until=" + (random.one_in(2) ? "30s" : "3h"),
           "read,list,write " + own + "/secret/** deny", "read,list fs:/workspace/shared/**",
           "write fs:/workspace/shared/** uses=2", "read,list,write fs:/workspace/*/secret/** deny",
           "write process:*"}) {
    auto grant = abi::Grant::parse(text, now);
    CHECK(grant.has_value());
    launch.grants.push_back(std::move(*grant));
  }
  if (random.one_in(2)) limit_waits(launch, name);
  if (random.one_in(3)) launch.budget.tool_calls = 2 + random.below(6);
  if (random.one_in(2)) launch.budget.on_exhausted = abi::OnExhausted::ask;
  if (random.one_in(4)) launch.budget.written_bytes = random.below(4000);
  if (random.one_in(6)) launch.budget.model_calls = 1 + random.below(3);
  return launch;
}

abi::ModelGenerate::Reply reply_of(std::uint64_t seed, const std::string& name,
                                   std::uint32_t turn) {
  Author author(seed, name, turn);
  abi::ModelGenerate::Reply reply{{}, {}, 10, 5, "stop"};
  if (turn >= 2 + mix(seed, name) % (kTurnsMax - 1)) {
    reply.text = base::Text("done " + name);
    if (author.below(3) == 0)
      reply.tool_calls.push_back({"c1", "exit", R"({"result":{"done":true}})"});
    if (author.below(12) == 0) reply = {{}, {}, 10, 0, "length"};
    if (author.below(12) == 0) reply.text = base::Text("");
    return reply;
  }
  const std::size_t calls = 1 + author.below(4);
  for (std::size_t i = 0; i < calls; ++i) reply.tool_calls.push_back(author.request(i));
  reply.finish = "tool_calls";
  return reply;
}

}  // namespace alos::sim
