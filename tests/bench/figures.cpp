#include "figures.h"

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "core/decide.h"
#include "core/record.h"
#include "limits.h"
#include "world.h"

extern char** environ;

namespace alos::bench {
namespace {

constexpr unsigned kThreads = 64;
constexpr int kRounds = 5;

// ---- deciding ----

double decide_ns(int held) {
  core::JobState state;
  for (int i = 0; i < held; ++i) {
    core::Capability cap;
    cap.id = base::CapId{static_cast<std::uint64_t>(i) + 1};
    cap.holder = 1;
    cap.grant =
        must(abi::Grant::from_text(fmt::format("read fs:/workspace/dir{}/part{}/**", i % 97, i)));
    state.caps.push_back(std::move(cap));
  }
  state.trapdoors = core::builtin_trapdoors();
  state.reindex();
  std::vector<abi::Need> needs;
  for (int i = 0; i < 1024; ++i) {
    const int which = (i * 7919) % held;
    needs.push_back({abi::Resource::file(must(base::Path::parse(
                         fmt::format("/workspace/dir{}/part{}/file{}.cc", which % 97, which, i)))),
                     abi::Right::read, abi::Reach::exact});
  }
  const base::Digest call;
  std::size_t allowed = 0;
  constexpr int kLaps = 200;
  const double start = now_s();
  for (int lap = 0; lap < kLaps; ++lap)
    for (const abi::Need& need : needs)
      allowed +=
          core::decide(state, 1, need, call, base::Time{1}).verdict == core::Verdict::allowed;
  const double seconds = now_s() - start;
  if (allowed != kLaps * needs.size()) give_up("a decision was wrong");
  return seconds * 1e9 / (kLaps * static_cast<double>(needs.size()));
}

std::vector<Row> measure_decide(const std::string&) {
  return {{"authority decision, 100 capabilities held",
           median_of(kRounds, [] { return decide_ns(100); }), "ns", "200 ns", "", 0, false},
          {"authority decision, 10,000 capabilities held",
           median_of(kRounds, [] { return decide_ns(10'000); }), "ns", "1000 ns", "", 0, false}};
}

// ---- tools through the gate ----

// One agent makes `calls` calls of a tool, in replies of `per_reply`; calls a second, from launch
// to its durable end.
double tool_rate(const Folder& folder, std::uint32_t replies, std::size_t per_reply,
                 const std::string& tool, const std::function<std::string(std::size_t)>& arguments,
                 int agents = 1, const std::optional<abi::ModelGenerate::Reply>& first = {}) {
  const std::uint32_t before = first ? 1 : 0;
  World world(
      folder.path(), kThreads,
      [&](const std::string&, std::uint32_t turn) -> std::optional<abi::ModelGenerate::Reply> {
        if (first && turn == 0) return *first;
        if (turn == replies + before) return say("done");
        return ask(tool, per_reply, [&](std::size_t i) { return arguments(turn * per_reply + i); });
      });
  const double start = now_s();
  std::vector<base::Pid> pids;
  for (int i = 0; i < agents; ++i) pids.push_back(world.start("root"));
  for (const base::Pid pid : pids) world.wait(pid);
  return static_cast<double>(replies * per_reply) * agents / (now_s() - start);
}

std::vector<Row> measure_objects(const std::string&) {
  const std::string value = noise(1024, 1);
  const auto put = ask("put_object", 8, [&](std::size_t i) {
    return fmt::format(R"({{"name":"o{}","type":"note","value":"{}"}})", i, value);
  });
  const double rate = median_of(kRounds, [&] {
    const Folder folder;
    return tool_rate(
        folder, 40, 500, "get_object",
        [](std::size_t i) { return fmt::format(R"({{"name":"o{}"}})", i % 8); }, 1, put);
  });
  return {
      {"get_object 1 KB: tool, gate and journal, one agent", rate, "/s", "50,000/s", "", 0, true}};
}

std::vector<Row> measure_reads(const std::string&) {
  double raw = 0;
  const double rate = median_of(kRounds, [&] {
    const Folder folder;
    for (int i = 0; i < 8; ++i)
      folder.write(fmt::format("f{}.txt", i), noise(1024, static_cast<unsigned>(i)));
    raw = raw_reads_per_s(folder.path() + "/ws/f0.txt");
    return tool_rate(folder, 20, 500, "read_file",
                     [](std::size_t i) { return fmt::format(R"({{"path":"f{}.txt"}})", i % 8); });
  });
  return {{"read_file 1 KB: tool and gate, one agent", rate, "/s", "20,000/s", "open+read+close",
           raw, true}};
}

std::vector<Row> measure_writes(const std::string&) {
  std::vector<double> one, many, sync;
  const std::string content = prose(1024, 3);
  const std::string json = [&] {
    std::string out;
    base::append_json_string(out, content);
    return out;
  }();
  const auto arguments = [&](std::size_t i) {
    return fmt::format(R"({{"path":"out{}.txt","content":{}}})", i % 16, json);
  };
  for (int round = 0; round < kRounds; ++round) {
    const Folder folder;
    sync.push_back(fdatasyncs_per_s(folder.path()));
    one.push_back(tool_rate(folder, 4, 75, "write_file", arguments));
    const Folder other;
    // Each agent writes files of its own.
    World world(other.path(), kThreads,
                [&](const std::string& name,
                    std::uint32_t turn) -> std::optional<abi::ModelGenerate::Reply> {
                  if (turn == 3) return say("done");
                  return ask("write_file", 30, [&](std::size_t i) {
                    return fmt::format(R"({{"path":"{}-{}.txt","content":{}}})", name, i % 4, json);
                  });
                });
    const double start = now_s();
    std::vector<base::Pid> pids;
    for (int i = 0; i < 64; ++i) pids.push_back(world.start(fmt::format("a{}", i)));
    for (const base::Pid pid : pids) world.wait(pid);
    many.push_back(64 * 90 / (now_s() - start));
  }
  return {{"write_file 1 KB, durable, one agent", median(one), "/s", "0.3 x fdatasync",
           "append 256 B + fdatasync", median(sync), true},
          {"  the same as a ratio", median(one) / median(sync), "x", "0.30 x", "", 0, true},
          {"write_file 1 KB, durable, 64 agents", median(many), "/s", "8 x one agent", "", 0, true},
          {"  the same as a ratio", median(many) / median(one), "x", "8 x", "", 0, true}};
}

std::vector<Row> measure_turns(const std::string&) {
  constexpr int kAgents = 100;
  constexpr std::uint32_t kTurns = 50;
  const double rate = median_of(kRounds, [&] {
    const Folder folder;
    folder.write("a.txt", prose(1024, 1));
    World world(
        folder.path(), kThreads,
        [](const std::string&, std::uint32_t turn) -> std::optional<abi::ModelGenerate::Reply> {
          if (turn == kTurns) return say("done");
          return ask("read_file", 1,
                     [](std::size_t) { return std::string(R"({"path":"a.txt"})"); });
        });
    const double start = now_s();
    std::vector<base::Pid> pids;
    for (int i = 0; i < kAgents; ++i) pids.push_back(world.start("root"));
    for (const base::Pid pid : pids) world.wait(pid);
    return kAgents * static_cast<double>(kTurns) / (now_s() - start);
  });
  return {{"turns, instant model, one read each, 100 agents", rate, "/s", "5,000/s", "", 0, true}};
}

// ---- the journal ----

// Canonical records, chained and committed in batches of 100, against raw inserts of the same
// lines.
std::vector<Row> measure_journal(const std::string&) {
  constexpr int kBatch = 100, kBatches = 200;
  std::vector<double> ours, raw;
  for (int round = 0; round < kRounds; ++round) {
    const Folder folder;
    core::Record record;
    record.job = base::JobId{1};
    record.at = base::Time{1'800'000'000'000'000};
    record.body =
        core::CallObserved{base::CallId{3},
                           1,
                           "fs.read",
                           base::Digest::of("x"),
                           base::RawJson{R"({"content":"a line of some file","file_bytes":19})"},
                           {}};
    auto store = must(store::open_sqlite_store(folder.path() + "/store", store::OpenMode::write));
    const store::Epoch epoch = must(store->own());
    std::string line;
    base::Digest head;
    const double start = now_s();
    for (int batch = 0; batch < kBatches; ++batch) {
      store::Segment segment{record.job, record.seq + 1, kBatch, head, {}, {}};
      for (int i = 0; i < kBatch; ++i) {
        ++record.seq;
        line.clear();
        core::append_canonical(line, record);
        head = core::chain(head, line);
        (segment.lines += line) += '\n';
      }
      segment.head = head;
      store::Commit commit;
      commit.segments.push_back(std::move(segment));
      must(store->commit(epoch, commit));
    }
    ours.push_back(kBatch * kBatches / (now_s() - start));
    raw.push_back(sqlite_rows_per_s(folder.path(), kBatch, line));
  }
  return {{"journal: records/s, commits of 100", median(ours), "/s", "0.5 x raw SQLite",
           "raw SQLite, same rows and batches", median(raw), true},
          {"  the same as a ratio", median(ours) / median(raw), "x", "0.50 x", "", 0, true}};
}

double store_mb(const std::function<std::string(unsigned)>& content) {
  constexpr std::uint32_t kSteps = 1000;
  const Folder folder;
  for (unsigned i = 0; i < kSteps; ++i) folder.write(fmt::format("f{}.txt", i), content(i));
  {
    World world(
        folder.path(), kThreads,
        [](const std::string&, std::uint32_t turn) -> std::optional<abi::ModelGenerate::Reply> {
          if (turn == kSteps) return say("done");
          return ask("read_file", 1,
                     [&](std::size_t) { return fmt::format(R"({{"path":"f{}.txt"}})", turn); });
        });
    world.wait(world.start("root"));
  }
  double bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path() + "/store"))
    if (entry.is_regular_file()) bytes += static_cast<double>(entry.file_size());
  return bytes / 1e6;
}

std::vector<Row> measure_size(const std::string&) {
  return {
      {"store after 1,000 turns that read 1 KB, words",
       store_mb([](unsigned i) { return prose(1024, i); }), "MB", "1.5 MB", "payload", 1.02, false},
      {"store after 1,000 turns that read 1 KB, noise",
       store_mb([](unsigned i) { return noise(1024, i); }), "MB", "1.5 MB", "payload", 1.02,
       false}};
}

// ---- after SIGKILL ----

double recovery_s(const std::string& self, int jobs) {
  const Folder folder;
  int out[2];
  if (pipe(out) != 0) give_up("no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  const std::string count = std::to_string(jobs);
  char* argv[] = {const_cast<char*>(self.c_str()), const_cast<char*>("--hang"),
                  const_cast<char*>(folder.path().c_str()), const_cast<char*>(count.c_str()),
                  nullptr};
  pid_t child = 0;
  if (posix_spawn(&child, self.c_str(), &actions, nullptr, argv, environ) != 0)
    give_up("cannot start myself");
  posix_spawn_file_actions_destroy(&actions);
  close(out[1]);
  char ready = 0;
  if (read(out[0], &ready, 1) != 1) give_up("the process to be killed did not come up");
  close(out[0]);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);

  const double start = now_s();
  World world(folder.path(), 32, [](const std::string&, std::uint32_t) { return std::nullopt; });
  for (const base::JobId job : must(world.kernel().jobs()))
    must(world.kernel().resume({job, 1}, "bench"));
  while (world.models().asked() < static_cast<std::uint64_t>(jobs))
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return now_s() - start;
}

std::vector<Row> measure_recovery(const std::string& self) {
  return {{"open after SIGKILL, 1,000 processes in flight",
           median_of(3, [&] { return recovery_s(self, 1000); }), "s", "0.5 s", "", 0, false}};
}

// ---- the program ----

std::vector<Row> measure_ps(const std::string& self) {
  const std::string alos =
      (std::filesystem::path(self).parent_path().parent_path().parent_path() / "alos").string();
  if (!std::filesystem::exists(alos)) give_up("no program at " + alos);
  const Folder folder;
  {
    World world(folder.path(), 8,
                [](const std::string&, std::uint32_t) { return std::optional(say("done")); });
    for (int i = 0; i < 20; ++i) world.wait(world.start("root"));
  }
  double rss = 0, idle = 0;
  const double ms = median_of(21, [&] {
    const Spawned spawned = spawn(alos, {"ps", "--all", "--store", folder.path() + "/store"});
    rss = spawned.rss_mb;
    idle = spawn("/bin/true", {}).ms;
    return spawned.ms;
  });
  return {{"alos ps on a small store: wall", ms, "ms", "15 ms", "/bin/true", idle, false},
          {"alos ps on a small store: RSS", rss, "MB", "20 MB", "", 0, false}};
}

}  // namespace

int fill_and_hang(const std::string& dir, int jobs) {
  World world(dir, kThreads, [](const std::string&, std::uint32_t) { return std::nullopt; });
  for (int i = 0; i < jobs; ++i) world.start("root");
  while (world.models().asked() < static_cast<std::uint64_t>(jobs))
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  if (write(STDOUT_FILENO, "!", 1) != 1) return 1;
  while (true) pause();
}

const std::vector<Figure>& figures() {
  static const std::vector<Figure> all{
      {"decide", &measure_decide}, {"objects", &measure_objects},   {"reads", &measure_reads},
      {"writes", &measure_writes}, {"turns", &measure_turns},       {"journal", &measure_journal},
      {"size", &measure_size},     {"recovery", &measure_recovery}, {"ps", &measure_ps}};
  return all;
}

}  // namespace alos::bench
