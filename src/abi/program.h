// Program: what runs in a process. The kernel steps it whenever its process can go on.
#pragma once

#include <functional>

#include "abi/syscalls.h"

namespace alos::abi {

// A tool call that has not returned yet. Its number is given when it is first run.
struct OpenCall {
  ToolRequest request;
  std::optional<base::CallId> call;  // absent: not begun
  bool parked = false;               // waits; running it again now would only park again
};

// What a program sees of its process: a snapshot.
struct Mind {
  base::Pid pid;
  std::string name;
  std::string model;
  base::Text system;  // the image's prompt
  base::Text goal;
  std::vector<std::string> tools;  // the exact tool table
  Transcript transcript;           // after the system prompt; begins with the goal
  std::vector<OpenCall> open_calls;
  std::uint32_t turn = 0;  // model replies so far
  bool exiting = false;    // proc.exit was called
};

// What a tool call came to. How it reads to a model: tool_text.h.
struct ToolReply {
  base::Json value;
};

// The kernel's side of a step. Everything here is recorded.
class Self {
 public:
  virtual ~Self() = default;
  virtual Mind mind() const = 0;

  // Runs one tool call as a durable function and records its end. `tool` may run many times; only
  // its syscalls have effects. Errors other than `parked` that `tool` returns are the tool's
  // result, for the model to read. An error from run_tool itself (the store is gone) ends the step.
  using Tool = std::function<base::Result<ToolReply>(Syscalls&)>;
  virtual base::Result<void> run_tool(const OpenCall& open, const Tool& tool) = 0;

  // One turn: asks the model; its reply joins the transcript and opens its tool calls. `parked`
  // until it is there.
  virtual base::Result<ModelGenerate::Reply> generate(ModelGenerate call) = 0;

  virtual base::Result<void> exit(base::Text result) = 0;
  virtual base::Result<void> fail(base::Error error) = 0;
  virtual base::Result<void> pause(std::string reason) = 0;
};

class Program {
 public:
  virtual ~Program() = default;

  // Goes as far as it can without waiting. Called by one thread at a time for one process; returns
  // errors only for what ends the step from outside.
  virtual base::Result<void> step(Self& self) = 0;

  // One tool call from outside the model (`alos call`): the same function the model's calls run.
  virtual Self::Tool tool(const Mind& mind, const ToolRequest& request) = 0;
};

}  // namespace alos::abi
