// The scripted model: replies read from a file, one JSON object a line, for demos, tests and
// replays.
//
//   {"text":"...","tool_calls":[{"name":"read_file","arguments":{"path":"a"}}],"process":"NAME"}
//
// A line without `process` belongs to `root`. `arguments` may be text, to script malformed JSON.
// Also known: usage{input_tokens, output_tokens}, finish, delay_ms, and error{code, what} for a
// model that fails. Blank lines and lines that begin with # count for nothing. The reply to turn N
// of a process is its line N (from 0): there is no position to lose in a restart.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "abi/model.h"
#include "ports/outcome.h"

namespace alos::providers {

struct ScriptLine {
  abi::ModelGenerate::Reply reply;
  std::optional<base::Error> error;  // instead of a reply
  std::chrono::milliseconds delay{0};
};

class Script {
 public:
  // `name` is what errors call the file. Errors are `invalid` and name NAME:LINE and the field.
  static base::Result<Script> parse(std::string_view text, std::string name);

  // Errors: `exhausted`, with how many lines the process has.
  base::Result<const ScriptLine*> line(const std::string& process, std::uint32_t turn) const;
  bool has_process(const std::string& process) const { return lines_.contains(process); }

 private:
  std::string name_;
  std::map<std::string, std::vector<ScriptLine>> lines_;  // by process
};

using ReplyDone = std::function<void(ports::Outcome<abi::ModelGenerate::Reply>)>;

// Thread-safe. A file is read again only when its time, size or inode has changed.
class ScriptedModel {
 public:
  ScriptedModel();
  ~ScriptedModel();  // replies still delayed complete as NotStarted with `cancelled`

  // Errors: `not_found`, `invalid`.
  base::Result<void> check(const std::string& path);

  // Calls `done` before it returns, or after the line's delay from another thread.
  void ask(const std::string& path, const std::string& process, std::uint32_t turn, ReplyDone done);

 private:
  class Cache;
  class Delays;
  std::unique_ptr<Cache> cache_;
  std::unique_ptr<Delays> delays_;
};

}  // namespace alos::providers
