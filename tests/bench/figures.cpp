#include "figures.h"

#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "core/apply.h"
#include "core/derive.h"
#include "core/record.h"
#include "kernel/make.h"
#include "limits.h"
#include "store/store.h"
#include "world.h"

extern char** environ;

namespace alos::bench {
namespace {

constexpr unsigned kThreads = 64;
constexpr int kRounds = 5;

// ---- deciding ----

// A job whose process 1 holds `held` capabilities, and process 2 `others`.
core::JobState job_that_holds(int held, int others) {
  core::JobState state;
  for (int i = 0; i < held + others; ++i) {
    core::Capability cap;
    cap.id = base::CapId{static_cast<std::uint64_t>(i) + 1};
    cap.holder = i < held ? 1 : 2;
    cap.grant = must(abi::Grant::from_text(
        fmt::format("read fs:/workspace/dir{}/part{}/** delegate", i % 97, i)));
    state.caps.push_back(std::move(cap));
  }
  state.trapdoors = core::builtin_trapdoors();
  state.reindex();
  return state;
}

double decide_ns(int held, int others) {
  const core::JobState state = job_that_holds(held, others);
  std::vector<abi::Need> needs;
  for (int i = 0; i < 1024; ++i) {
    const int which = (i * 7919) % held;
    needs.push_back({abi::Resource::file(must(base::Path::parse(
                         fmt::format("/workspace/dir{}/part{}/file{}.cc", which % 97, which, i)))),
                     abi::Right::read,
                     abi::Reach::exact,
                     {}});
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
  std::vector<Row> rows;
  const auto add = [&](std::string name, int held, int others, std::string reach) {
    rows.push_back({"authority decision, " + name,
                    median_of(kRounds, [&] { return decide_ns(held, others); }), "ns",
                    std::move(reach), "", 0, false});
  };
  add("100 capabilities held", 100, 0, "150 ns");
  add("100 held, 100,000 by another", 100, 100'000, "as above");
  add("10,000 held", 10'000, 0, "400 ns");
  add("100,000 held", 100'000, 0, "1500 ns");
  return rows;
}

// ---- handing on and taking back ----

core::Record record_of(const core::JobState& state, core::Body body) {
  return {state.job, state.seq + 1, base::Time{1}, 1, 0, std::move(body)};
}

void put(core::JobState& state, core::Body body) {
  if (!core::apply(state, record_of(state, std::move(body)), {})) give_up("a record did not fit");
}

// A job of two processes, the first with `held` capabilities that it may hand on.
core::JobState family(int held) {
  core::JobState state;
  put(state, core::JobCreated{"owner", {}, {}, {}});
  for (std::uint32_t number = 1; number <= 2; ++number) {
    core::ProcessSpawned spawned;
    spawned.number = number;
    spawned.parent = number - 1;
    put(state, spawned);
  }
  for (int i = 0; i < held; ++i) {
    core::Capability cap;
    cap.id = base::CapId{state.caps.size() + 1};
    cap.holder = 1;
    cap.grant = must(abi::Grant::from_text(fmt::format("read fs:/w/part{}/** delegate", i)));
    put(state, core::CapGranted{cap});
  }
  return state;
}

double derive_rate() {
  constexpr int kHeld = 20, kDerived = 20'000;
  core::JobState state = family(kHeld);
  std::vector<abi::Grant> wanted;
  for (int i = 0; i < kHeld; ++i)
    wanted.push_back(must(abi::Grant::from_text(fmt::format("read fs:/w/part{}/sub/**", i))));
  const double start = now_s();
  for (int i = 0; i < kDerived; ++i)
    for (core::Derived& one : must(core::derive(state, 1, wanted[i % kHeld], base::Time{1}))) {
      core::Capability cap;
      cap.id = base::CapId{state.caps.size() + 1};
      cap.holder = 2;
      cap.grant = std::move(one.grant);
      cap.parent = one.parent;
      put(state, core::CapGranted{std::move(cap)});
    }
  return kDerived / (now_s() - start);
}

double revoke_ms() {
  constexpr int kNodes = 10'000;
  core::JobState state = family(1);
  for (int i = 1; i < kNodes; ++i) {
    core::Capability cap;
    cap.id = base::CapId{state.caps.size() + 1};
    cap.holder = 1 + static_cast<std::uint32_t>(i % 2);
    cap.grant = must(abi::Grant::from_text(fmt::format("read fs:/w/part0/{}/** delegate", i)));
    cap.parent = base::CapId{1 + static_cast<std::uint64_t>(i) / 3};
    put(state, core::CapGranted{std::move(cap)});
  }
  const double start = now_s();
  put(state, core::CapRevoked{core::subtree(state, base::CapId{1}), "bench"});
  const double ms = (now_s() - start) * 1e3;
  for (const core::Capability& cap : state.caps)
    if (core::is_live(state, cap, base::Time{1})) give_up("a capability outlived its root");
  return ms;
}

double page_ms() {
  constexpr std::uint64_t kRequests = 100'000, kPage = 1000;
  const Folder folder;
  const std::shared_ptr<store::Store> store =
      must(store::open_sqlite_store(folder.path() + "/store", store::OpenMode::write));
  const store::Epoch epoch = must(store->own());
  kernel::RequestView view{.id = "1.r1", .pid = {{1}, 1}, .process = "root", .goal = "Do it."};
  view.kind = "approval";
  view.question = "write fs:/workspace/docs/guide.md";
  view.preview = std::string(300, 'x');
  store::Commit commit;
  for (std::uint64_t i = 1; i <= kRequests; ++i) {
    view.id = fmt::format("1.r{}", i);
    commit.requests.push_back({{1}, base::RequestId{i}, 1, true, base::to_json(view)});
  }
  if (!store->commit(epoch, commit)) give_up("the requests cannot be kept");
  const auto viewer = kernel::make_viewer(store, {});
  const double start = now_s();
  const auto page = must(viewer->request_page(kernel::Kernel::Which::live, "1.r50000", kPage));
  if (page.size() != kPage) give_up("a page is not whole");
  return (now_s() - start) * 1e3;
}

std::vector<Row> measure_derive(const std::string&) {
  return {
      {"handed on and recorded, in memory", median_of(kRounds, derive_rate), "/s", "200,000/s", "",
       0, false},
      {"revoke of 10,000 capabilities", median_of(kRounds, revoke_ms), "ms", "5 ms", "", 0, false},
      {"a page of 1,000 of 100,000 open requests", median_of(kRounds, page_ms), "ms", "50 ms", "",
       0, false}};
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

// ---- processes and messages ----

// Pairs of agents in jobs of their own: each message is durable in both before it is read.
double message_rate(int pairs) {
  constexpr std::uint32_t kTurns = 10;
  constexpr std::size_t kPerTurn = 20;
  const Folder folder;
  World world(folder.path(), kThreads, [](const std::string& name, std::uint32_t turn) {
    if (turn >= kTurns) return std::optional(say("done"));
    if (name.starts_with("reads"))
      return std::optional(ask("receive_message", kPerTurn, [](std::size_t) { return "{}"; }));
    const std::string to = name.substr(std::string_view("writes").size());
    return std::optional(ask("send_message", kPerTurn, [&](std::size_t i) {
      return fmt::format(R"({{"to":"{}","text":"message {} of turn {}"}})", to, i, turn);
    }));
  });
  std::vector<base::Pid> readers;
  for (int i = 0; i < pairs; ++i) readers.push_back(world.start("reads"));
  const double start = now_s();
  for (const base::Pid reader : readers) {
    kernel::Launch launch = world.launch("writes" + base::to_string(reader));
    launch.grants.push_back(must(abi::Grant::from_text("write process:*")));
    must(world.kernel().launch(launch));
  }
  for (const base::Pid reader : readers) world.wait(reader);
  return pairs * kTurns * static_cast<double>(kPerTurn) / (now_s() - start);
}

// Children that are started, answer at once and end; a second.
double spawn_rate() {
  constexpr std::uint32_t kTurns = 20;
  constexpr std::size_t kPerTurn = 50;
  const Folder folder;
  World world(folder.path(), kThreads, [](const std::string& name, std::uint32_t turn) {
    if (name != "root" || turn > kTurns) return std::optional(say("done"));
    if (turn == kTurns)
      return std::optional(ask("wait_process", 1, [](std::size_t) { return R"({"pid":"last"})"; }));
    return std::optional(ask("spawn_process", kPerTurn, [&](std::size_t i) {
      const bool last = turn + 1 == kTurns && i + 1 == kPerTurn;
      return fmt::format(R"({{"goal":"Be measured.","name":"{}"}})", last ? "last" : "kid");
    }));
  });
  const double start = now_s();
  world.wait(world.start("root"));
  return kTurns * static_cast<double>(kPerTurn) / (now_s() - start);
}

double resident_mb() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t pages = 0, resident = 0;
  statm >> pages >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
}

// What a waiting process takes of memory, in KB: 200 jobs with 50 sleepers each.
double waiting_kb() {
  constexpr int kJobs = 200, kSleepers = 50;
  const Folder folder;
  std::atomic<int> asleep = 0;
  World world(folder.path(), kThreads, [&](const std::string& name, std::uint32_t turn) {
    if (name == "root" && turn == 0)
      return std::optional(ask("spawn_process", kSleepers, [](std::size_t i) {
        return fmt::format(R"({{"goal":"Sleep.","name":"nap{}"}})", i);
      }));
    if (name != "root") ++asleep;
    return std::optional(
        ask("sleep", 1, [](std::size_t) { return std::string(R"({"seconds":36000})"); }));
  });
  const double before = resident_mb();
  for (int i = 0; i < kJobs; ++i) world.start("root");
  while (asleep < kJobs * kSleepers) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  return (resident_mb() - before) * 1000 / (kJobs * kSleepers);
}

std::vector<Row> measure_processes(const std::string&) {
  return {
      {"messages between jobs, sent and read, 64 pairs",
       median_of(3, [] { return message_rate(64); }), "/s", "20,000/s", "", 0, false},
      {"the same, one pair", median_of(3, [] { return message_rate(1); }), "/s", "", "", 0, false},
      {"children spawned, asked once and ended", median_of(3, spawn_rate), "/s", "30,000/s", "", 0,
       false},
      {"memory of a waiting process", waiting_kb(), "KB", "15 KB", "", 0, false}};
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
  static const std::vector<Figure> all{{"ps", &measure_ps},
                                       {"decide", &measure_decide},
                                       {"derive", &measure_derive},
                                       {"objects", &measure_objects},
                                       {"reads", &measure_reads},
                                       {"writes", &measure_writes},
                                       {"turns", &measure_turns},
                                       {"journal", &measure_journal},
                                       {"size", &measure_size},
                                       {"recovery", &measure_recovery},
                                       {"processes", &measure_processes}};
  return all;
}

}  // namespace alos::bench
