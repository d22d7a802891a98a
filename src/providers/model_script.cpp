#include "providers/model_script.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <thread>
#include <tuple>

#include "base/text.h"

namespace alos::providers {
namespace {

using base::Code;
using base::fail;
using base::Result;
using Steady = std::chrono::steady_clock;

constexpr std::size_t kScriptBytesMax = 64U << 20;
constexpr std::uint64_t kDelayMsMax = 24ULL * 3600 * 1000;

// ---- the form of a line ----

struct CallFields {
  std::string name;
  std::optional<base::Json> arguments;
  ALOS_FIELDS(name, arguments)
};
struct UsageFields {
  std::optional<std::uint64_t> input_tokens;
  std::optional<std::uint64_t> output_tokens;
  ALOS_FIELDS(input_tokens, output_tokens)
};
struct ErrorFields {
  Code code = Code::unavailable;
  std::string what;
  ALOS_FIELDS(code, what)
};
struct LineFields {
  std::optional<std::string> text;
  std::optional<std::vector<CallFields>> tool_calls;
  std::optional<std::string> process;
  std::optional<UsageFields> usage;
  std::optional<std::string> finish;
  std::optional<ErrorFields> error;
  std::optional<std::uint64_t> delay_ms;
  ALOS_FIELDS(text, tool_calls, process, usage, finish, error, delay_ms)
};

// An object as its JSON, text as what it says.
Result<std::string> arguments_text(const CallFields& call, std::size_t index) {
  if (!call.arguments) return std::string("{}");
  const std::string& json = call.arguments->data;
  if (json.starts_with('{')) return json;
  if (json.starts_with('"')) return base::from_json<std::string>(json, base::Source::outside);
  return fail(Code::invalid,
              fmt::format("`tool_calls[{}].arguments`: expected an object or text, got {}", index,
                          base::shortened(json, 40)));
}

Result<void> check_line(const LineFields& fields) {
  if (!fields.text && !fields.tool_calls && !fields.error)
    return fail(Code::invalid, "the line says nothing", "give it `text`, `tool_calls` or `error`");
  if (fields.error && (fields.text || fields.tool_calls))
    return fail(Code::invalid, "`error` stands beside `text` or `tool_calls`",
                "a model fails or replies: drop one of them");
  if (fields.error && fields.error->code == Code::parked)
    return fail(Code::invalid, "`error.code`: a model cannot end `parked`",
                "for a slow model use `delay_ms`");
  if (fields.delay_ms && *fields.delay_ms > kDelayMsMax)
    return fail(Code::invalid, fmt::format("`delay_ms`: at most {} (a day)", kDelayMsMax));
  return {};
}

Result<ScriptLine> line_of(LineFields fields, std::size_t turn) {
  TRY(check_line(fields));
  ScriptLine line;
  line.delay = std::chrono::milliseconds(fields.delay_ms.value_or(0));
  if (fields.error) line.error = base::Error{fields.error->code, std::move(fields.error->what), {}};
  auto& reply = line.reply;
  reply.text = std::move(fields.text).value_or("");
  if (fields.tool_calls) {
    for (std::size_t i = 0; i < fields.tool_calls->size(); ++i) {
      CallFields& call = (*fields.tool_calls)[i];
      base::Text arguments = TRY(arguments_text(call, i));
      reply.tool_calls.push_back(
          {fmt::format("call_{}_{}", turn, i), std::move(call.name), std::move(arguments)});
    }
  }
  if (fields.usage) {
    reply.input_tokens = fields.usage->input_tokens.value_or(0);
    reply.output_tokens = fields.usage->output_tokens.value_or(0);
  }
  reply.finish = fields.finish.value_or(reply.tool_calls.empty() ? "stop" : "tool_calls");
  return line;
}

bool says_nothing(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t\r");
  return first == std::string_view::npos || line[first] == '#';
}

// ---- reading the file ----

struct Stamp {
  std::int64_t seconds = 0, nanoseconds = 0;
  std::uint64_t bytes = 0, inode = 0;
  bool operator==(const Stamp&) const = default;
};

class OpenFile {
 public:
  explicit OpenFile(int fd) : fd_(fd) {}
  ~OpenFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

base::Unexpected unreadable(const std::string& path, int error) {
  return fail(
      error == ENOENT || error == ENOTDIR ? Code::not_found : Code::invalid,
      fmt::format("script {} cannot be read: {}", base::printable(path), std::strerror(error)),
      "name a file of JSON lines: script:./turns.jsonl");
}

Result<Stamp> stamp_of(const OpenFile& file, const std::string& path) {
  struct stat info{};
  if (::fstat(file.fd(), &info) != 0) return unreadable(path, errno);
  if (S_ISDIR(info.st_mode)) return unreadable(path, EISDIR);
  if (!S_ISREG(info.st_mode))
    return fail(Code::invalid, fmt::format("script {} is not a plain file", base::printable(path)));
  if (static_cast<std::uint64_t>(info.st_size) > kScriptBytesMax)
    return fail(Code::invalid, fmt::format("script {} has {} bytes, at most {}",
                                           base::printable(path), info.st_size, kScriptBytesMax));
  return Stamp{info.st_mtim.tv_sec, info.st_mtim.tv_nsec, static_cast<std::uint64_t>(info.st_size),
               info.st_ino};
}

Result<std::string> content_of(const OpenFile& file, const std::string& path) {
  std::string text;
  char buffer[1U << 16];
  for (;;) {
    const ssize_t got = ::read(file.fd(), buffer, sizeof(buffer));
    if (got == 0) return text;
    if (got < 0 && errno != EINTR) return unreadable(path, errno);
    if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
    if (text.size() > kScriptBytesMax) return unreadable(path, EFBIG);
  }
}

ports::Outcome<abi::ModelGenerate::Reply> outcome_of(const ScriptLine& line) {
  if (!line.error) return line.reply;
  if (line.error->code == Code::outcome_unknown) return ports::Unknown{*line.error};
  return ports::Failed{*line.error};
}

}  // namespace

Result<Script> Script::parse(std::string_view text, std::string name) {
  Script script;
  script.name_ = std::move(name);
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (says_nothing(row)) continue;
    const auto placed = [&](const base::Error& error) {
      return fail(Code::invalid,
                  fmt::format("{}:{}: {}", base::printable(script.name_), number, error.what),
                  error.details);
    };
    auto fields = base::from_json<LineFields>(row, base::Source::outside);
    if (!fields) return placed(fields.error());
    auto& lines = script.lines_[fields->process.value_or("root")];
    auto line = line_of(std::move(*fields), lines.size());
    if (!line) return placed(line.error());
    lines.push_back(std::move(*line));
  }
  return script;
}

Result<const ScriptLine*> Script::line(const std::string& process, std::uint32_t turn) const {
  const auto found = lines_.find(process);
  const std::size_t count = found == lines_.end() ? 0 : found->second.size();
  if (turn < count) return &found->second[turn];
  return fail(
      Code::exhausted,
      fmt::format("script {} has no line {} for process `{}`: it has {}", base::printable(name_),
                  std::uint64_t{turn} + 1, base::printable(process), count),
      process == "root"
          ? "add a line, or end the script with a call of `exit`"
          : fmt::format("add a line with \"process\":\"{}\"", base::printable(process)));
}

class ScriptedModel::Cache {
 public:
  Result<std::shared_ptr<const Script>> get(const std::string& path) {
    const OpenFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (file.fd() < 0) return unreadable(path, errno);
    const Stamp stamp = TRY(stamp_of(file, path));
    const std::lock_guard lock(mutex_);
    Entry& entry = entries_[path];
    if (entry.script && entry.stamp == stamp) return entry.script;
    const std::string text = TRY(content_of(file, path));
    auto script = std::make_shared<const Script>(TRY(Script::parse(text, path)));
    entry = {stamp, std::move(script)};
    return entry.script;
  }

 private:
  struct Entry {
    Stamp stamp;
    std::shared_ptr<const Script> script;
  };
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;  // by path
};

// Runs completions later, on a thread that is started by the first of them.
class ScriptedModel::Delays {
 public:
  ~Delays() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
    for (auto& [when, item] : waiting_)
      item.done(ports::NotStarted{
          {Code::cancelled, "the scripted model was stopped before its delayed reply", {}}});
  }

  void add(std::chrono::milliseconds delay, ScriptLine line, ReplyDone done) {
    const std::lock_guard lock(mutex_);
    waiting_.emplace(Steady::now() + delay, Item{std::move(line), std::move(done)});
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    wake_.notify_all();
  }

 private:
  struct Item {
    ScriptLine line;
    ReplyDone done;
  };

  void run() {
    std::unique_lock lock(mutex_);
    while (!stop_) {
      if (waiting_.empty()) {
        wake_.wait(lock);
      } else if (const auto when = waiting_.begin()->first; when > Steady::now()) {
        wake_.wait_until(lock, when);
      } else {
        auto node = waiting_.extract(waiting_.begin());
        lock.unlock();
        node.mapped().done(outcome_of(node.mapped().line));
        lock.lock();
      }
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::multimap<Steady::time_point, Item> waiting_;
  bool stop_ = false;
  std::thread thread_;
};

ScriptedModel::ScriptedModel()
    : cache_(std::make_unique<Cache>()), delays_(std::make_unique<Delays>()) {}
ScriptedModel::~ScriptedModel() = default;

Result<void> ScriptedModel::check(const std::string& path) {
  TRY(cache_->get(path));
  return {};
}

void ScriptedModel::ask(const std::string& path, const std::string& process, std::uint32_t turn,
                        ReplyDone done) {
  const auto script = cache_->get(path);
  if (!script) return done(ports::NotStarted{script.error()});
  const auto line = (*script)->line(process, turn);
  if (!line) return done(ports::Failed{line.error()});
  if ((*line)->delay.count() > 0) return delays_->add((*line)->delay, **line, std::move(done));
  done(outcome_of(**line));
}

}  // namespace alos::providers
