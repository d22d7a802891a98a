// demo: an agent on a small project, killed with SIGKILL in the middle and resumed by a new
// process. Everything shown is read from what the children print; nothing is staged but the model's
// lines.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "base/json.h"
#include "base/text.h"
#include "surface/child.h"
#include "surface/commands.h"
#include "surface/demo_project.h"
#include "surface/narrate.h"

namespace alos::surface {

using base::Code;
using base::fail;
using base::Result;
using kernel::RecordView;

namespace {

constexpr std::string_view kKilledTool = "edit_file";

// A record as `--json` prints it; nothing for any other line.
std::optional<RecordView> parse_line(const std::string& line) {
  const auto document = base::Document::parse(line, base::Source::outside);
  if (!document || !document->root().is_object()) return std::nullopt;
  const auto root = document->root();
  const auto text = [&](std::string_view name) {
    const auto field = root.field(name);
    return std::string(field ? field->string().value_or("") : "");
  };
  if (text("type") != "record") return std::nullopt;
  RecordView record;
  record.kind = text("kind");
  record.seq = root.field("seq")->unsigned_integer().value_or(0);
  record.cause = root.field("cause")->unsigned_integer().value_or(0);
  if (const auto pid = base::parse_pid(text("pid"))) record.pid = *pid;
  if (const auto at = base::parse_time(text("at"))) record.at = *at;
  record.body = root.field("body")->canonical();
  return record;
}

class Demo {
 public:
  Demo(Host& host, DemoPlaces places)
      : host_(host), places_(std::move(places)), narrator_(host.style) {}

  Result<int> run() {
    tell_start();
    TRY(first_half());
    TRY(second_half());
    TRY(tell_denial());
    TRY(tell_proof());
    tell_next();
    return 0;
  }

 private:
  void say(std::string_view text) {
    host_.output.out(text);
    host_.output.flush();
  }
  void head(std::string_view text) { say('\n' + paint(host_.style, Ink::bold, text) + '\n'); }

  std::vector<std::string> words(std::vector<std::string> first) const {
    first.insert(first.end(), {"--store", places_.store});
    return first;
  }

  void tell_start() {
    head("An agent works on a small project, with just the authority its manifest grants");
    say("  goal   Collect the TODOs of this project in TODO.md, and fix the easy one.\n"
        "  may    read and list everything, write TODO.md and src/; anywhere else it must ask\n"
        "  never  .env, where a secret is kept\n"
        "  model  a script, so that you need no key; all the rest is real\n\n");
  }

  void hear(const std::string& line) {
    const auto record = parse_line(line);
    if (!record) return;
    if (pid_.empty()) pid_ = base::to_string(record->pid);
    if (record->kind == "authority.decided" && field_of(*record, "decision") == "denied")
      denial_ = record->seq;
    if (record->kind == "tool.called") tool_ = field_of(*record, "tool");
    if (person_ && record->kind == "request.opened")
      return;  // the child asks at the terminal itself
    if (const std::string text = narrator_.tell(*record); !text.empty()) say("  " + text);
  }

  // Runs until the intent of the edit is on disk, then SIGKILL: nobody can know yet whether the
  // edit has happened.
  Result<void> first_half() {
    Child child =
        TRY(Child::start(words({"run", places_.manifest, "--json", "--approve", places_.rules}),
                         Child::Input::none));
    std::string line;
    bool killed = false;
    while (!killed && child.next_line(line)) {
      hear(line);
      const auto record = parse_line(line);
      killed = record && record->kind == "call.intended" &&
               field_of(*record, "name") == "fs.write" && tool_ == kKilledTool;
      if (killed) child.kill_now();
    }
    const int code = child.wait();
    if (!killed)
      return fail(Code::internal,
                  fmt::format("the demo's run ended with code {} before it could be killed", code),
                  "the directory is kept: " + places_.dir);
    say("\n" + paint(host_.style, Ink::red, "  kill -9") +
        " while it edits src/main.c: the intent is on disk, the answer is not" +
        (edited() ? " (the edit itself is)" : " (nor the edit)") + '\n');
    return {};
  }

  bool edited() const {
    std::ifstream file(places_.project + "/src/main.c");
    const std::string text((std::istreambuf_iterator<char>(file)),
                           std::istreambuf_iterator<char>());
    return text.find("argc < 2") != std::string::npos;
  }

  Result<void> second_half() {
    head("A new process goes on where it was");
    Child child = TRY(Child::start(
        words({"resume", pid_, "--json", "--approve", person_ ? "ask" : places_.rules}),
        person_ ? Child::Input::ours : Child::Input::none));
    std::string line;
    while (child.next_line(line)) hear(line);
    if (const int code = child.wait(); code != 0)
      return fail(static_cast<Code>(code <= 14 ? code : 14),
                  fmt::format("the resumed run ended with code {}", code),
                  "the directory is kept: " + places_.dir);
    return {};
  }

  Result<std::string> said(std::vector<std::string> command) {
    Child child = TRY(Child::start(words(std::move(command)), Child::Input::none));
    std::string text;
    std::string line;
    while (child.next_line(line)) text += "  " + line + '\n';
    const int code = child.wait();
    if (code != 0)
      return fail(Code::internal, fmt::format("a command of the demo ended with code {}", code),
                  "the directory is kept: " + places_.dir);
    return text;
  }

  Result<void> tell_denial() {
    head(fmt::format("Why was .env refused?   $ alos why {}", denial_));
    say(TRY(said({"why", fmt::format("{}", denial_)})));
    return {};
  }

  // Counted in the journal, not remembered: intents and outcomes by the call they belong to.
  struct Counts {
    int called = 0, returned = 0, records = 0;
    std::map<std::string, std::map<std::string, int>> intents;  // by name, by place
    std::map<std::string, int> done;                            // by place

    void add(const RecordView& record) {
      const std::string place = field_of(record, "call") + '.' + field_of(record, "n");
      ++records;
      if (record.kind == "tool.called") ++called;
      if (record.kind == "tool.returned") ++returned;
      if (record.kind == "call.intended") ++intents[field_of(record, "name")][place];
      if (record.kind == "call.settled" && field_of(record, "outcome") == "done") ++done[place];
    }
    bool each_once(const std::string& name) const {
      const auto found = intents.find(name);
      if (found == intents.end()) return false;
      for (const auto& [place, count] : found->second)
        if (const auto ended = done.find(place);
            count != 1 || ended == done.end() || ended->second != 1)
          return false;
      return true;
    }
  };

  Result<void> tell_proof() {
    Counts counts;
    {
      Child child = TRY(Child::start(words({"log", pid_, "--json"}), Child::Input::none));
      for (std::string line; child.next_line(line);)
        if (const auto record = parse_line(line)) counts.add(*record);
      child.wait();
    }
    const bool once = counts.called == counts.returned && counts.each_once("fs.write") &&
                      counts.each_once("model.generate");
    if (!once)
      return fail(Code::internal,
                  "the journal of the demo shows an effect that was not done exactly once",
                  "the directory is kept: " + places_.dir);
    head("Nothing lost, nothing done twice   (counted in the journal)");
    say(fmt::format(
        "  {} tool calls begun, {} ended; {} writes, each with one intent and one outcome\n",
        counts.called, counts.returned, counts.intents["fs.write"].size()));
    say(fmt::format("  {} replies of the model, each asked for once\n",
                    counts.intents["model.generate"].size()));
    say(TRY(said({"audit", "verify"})));
    say(fmt::format("  {} KB of store for {} records\n", store_bytes() / 1024, counts.records));
    return {};
  }

  std::uintmax_t store_bytes() const {
    std::uintmax_t bytes = 0;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(places_.store, error))
      if (entry.is_regular_file(error)) bytes += entry.file_size(error);
    return bytes;
  }

  void tell_next() {
    head("Next");
    say("  alos run \"Summarise the TODOs under src into TODO.md\" --root workspace=. \\\n"
        "    --grant 'read,list fs:/workspace/**' --grant 'write fs:/workspace/TODO.md' --model "
        "openai/gpt-5\n"
        "  alos --help\n");
  }

  Host& host_;
  DemoPlaces places_;
  Narrator narrator_;
  bool person_ = ::isatty(STDIN_FILENO) != 0;
  std::string pid_;
  std::string tool_;
  base::Seq denial_ = 0;
};

}  // namespace

Result<int> demo(Host& host, const Arguments& arguments) {
  const DemoPlaces places = TRY(make_demo_project());
  host.style.format = Format::text;
  const int code = TRY(Demo(host, places).run());
  std::error_code error;
  if (arguments.has("keep"))
    host.output.out("  kept: " + places.dir + '\n');
  else
    std::filesystem::remove_all(places.dir, error);
  return code;
}

}  // namespace alos::surface
