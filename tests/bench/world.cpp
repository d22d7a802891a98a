#include "world.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "agent/agent.h"
#include "agent/images.h"
#include "providers/clock.h"
#include "providers/executor.h"
#include "providers/files.h"

namespace alos::bench {

void give_up(const std::string& why) {
  fmt::print(stderr, "bench: {}\n", why);
  std::_Exit(1);
}

void InstantModels::start(const ports::Intent<abi::ModelGenerate>& intent,
                          std::function<void(ports::Outcome<abi::ModelGenerate::Reply>)> done) {
  ++asked_;
  auto reply = replies_(intent.call().process, intent.call().turn);
  if (reply) done(std::move(*reply));
}

World::World(const std::string& dir, unsigned threads, Replies replies)
    : dir_(dir),
      store_(must(store::open_sqlite_store(dir + "/store", store::OpenMode::write))),
      files_(providers::make_files()),
      clock_(providers::make_clock()),
      models_(std::move(replies)),
      tools_(tools::builtin_tools()),
      agent_(agent::make_agent(tools_)),
      executor_(providers::make_pool(threads)),
      kernel_(must(kernel::make_kernel(store_, ports::Hands{*files_, *clock_, models_, *executor_},
                                       agent_, agent::builtin_images()))) {}

World::~World() {
  executor_.reset();
  kernel_.reset();
}

kernel::Launch World::launch(const std::string& name) const {
  kernel::Launch launch;
  launch.name = name;
  launch.image = "coding";
  launch.goal = "Be measured.";
  launch.model = "script:bench";
  launch.roots = {{"workspace", std::filesystem::canonical(dir_ + "/ws").string()}};
  launch.cwd = must(base::Path::parse("/workspace"));
  for (const char* grant : {"read,list fs:/workspace/**", "write fs:/workspace/**"})
    launch.grants.push_back(must(abi::Grant::from_text(grant)));
  return launch;
}

base::Pid World::start(const std::string& name) { return must(kernel_->launch(launch(name))); }

void World::wait(base::Pid pid) {
  const kernel::ProcessView view = must(kernel_->wait(pid, std::chrono::minutes(5)));
  if (view.state != "exited")
    give_up(fmt::format("{} is {}: {}", base::to_string(pid), view.state, view.reason));
}

Folder::Folder() : path_((std::filesystem::current_path() / "bench.XXXXXX").string()) {
  if (mkdtemp(path_.data()) == nullptr)
    give_up("cannot make a folder in " + std::filesystem::current_path().string());
  std::filesystem::create_directory(path_ + "/ws");
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void Folder::write(const std::string& name, const std::string& content) const {
  std::ofstream(path_ + "/ws/" + name, std::ios::binary) << content;
}

abi::ModelGenerate::Reply say(const std::string& text) {
  abi::ModelGenerate::Reply reply;
  reply.text = text;
  reply.finish = "stop";
  return reply;
}

abi::ModelGenerate::Reply ask(const std::string& tool, std::size_t count,
                              const std::function<std::string(std::size_t)>& arguments) {
  abi::ModelGenerate::Reply reply;
  reply.finish = "tool_calls";
  for (std::size_t i = 0; i < count; ++i)
    reply.tool_calls.push_back({fmt::format("c{}", i), tool, arguments(i)});
  return reply;
}

std::string prose(std::size_t bytes, unsigned seed) {
  static constexpr const char* kWords[] = {
      "the",    "agent", "reads",  "a",       "file", "and",    "writes",  "its",      "report",
      "before", "every", "change", "was",     "seen", "return", "const",   "value",    "if",
      "not",    "found", "while",  "records", "stay", "small",  "because", "payloads", "move"};
  std::mt19937 random(seed);
  std::string out;
  while (out.size() < bytes)
    out += fmt::format("{}{}", kWords[random() % std::size(kWords)],
                       random() % 9 == 0 ? fmt::format(" {}\n", random() % 1000) : " ");
  out.resize(bytes);
  return out;
}

std::string noise(std::size_t bytes, unsigned seed) {
  static constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::mt19937 random(seed);
  std::string out;
  while (out.size() < bytes) out += kLetters[random() % kLetters.size()];
  return out;
}

}  // namespace alos::bench
