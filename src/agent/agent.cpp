#include "agent/agent.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

#include "base/text.h"

namespace alos::agent {

const std::string_view kFrame =
    "\n"
    "You run as a process of Agent libOS, and act only by tool calls.\n"
    "- Every call is answered. An answer that begins with `error CODE:` means that it did not "
    "happen as asked; the text "
    "says why and, in brackets, the way out.\n"
    "- `error denied`: you lack the permission. It is final for this call: do not repeat it, and "
    "do not look for a way "
    "around it. Do without, or ask for the permission if you have the tool for it and the work "
    "needs it.\n"
    "- `error outcome_unknown`: nobody can say whether it happened. Look before you do it again.\n"
    "- A call that needs a person's approval, and a question to them, waits until they answer. You "
    "may be stopped and "
    "go on much later; time will have passed, files may have changed.\n"
    "- When the goal is reached, or cannot be reached, end: call `exit` with the result, or reply "
    "with the result as "
    "plain text and no tool call. Say what you did, what you could not do, and why.\n";

namespace {

using abi::Message;
using abi::Mind;
using abi::OpenCall;
using abi::Role;
using base::Code;
using base::Error;
using base::Result;

constexpr std::size_t kOpeningsMax = 1'000;  // kept ready
constexpr std::size_t kNameBytesShown = 80;
constexpr std::string_view kExitTool = "exit";
constexpr std::string_view kNudge =
    "Your reply was empty. Call a tool, or reply with the result as plain text to end.";

// What all turns of a process begin with, made once: the system prompt and its tools' specs are
// long, and digesting them anew would be the most expensive part of a turn.
struct Opening {
  base::Text system;
  std::shared_ptr<const std::vector<abi::ToolSpec>> tools;
  base::Digest digest;  // of both
};

// A reply that says nothing and does nothing.
bool is_empty_reply(const Message& message) {
  return message.role == Role::assistant && message.tool_calls.empty() && !message.text.blob &&
         message.text.data.find_first_not_of(" \t\r\n") == std::string::npos;
}

bool is_final_reply(const Message& message) {
  return message.role == Role::assistant && message.tool_calls.empty() && !is_empty_reply(message);
}

bool ends_with_two_empty_replies(const abi::Transcript& transcript) {
  if (transcript.size() < 2 || !is_empty_reply(transcript.back())) return false;
  return is_empty_reply(*transcript.messages()[transcript.size() - 2]);
}

base::Unexpected no_such_tool(const std::vector<std::string>& table, std::string_view name) {
  const std::vector<std::string_view> known(table.begin(), table.end());
  const std::string_view near = base::nearest(name.substr(0, kNameBytesShown), known);
  std::string list;
  for (const std::string_view tool : known) (list += list.empty() ? "its tools: " : " ") += tool;
  return base::fail(Code::not_found,
                    fmt::format("no tool `{}` in this process's table{}",
                                base::printable(base::shortened(name, kNameBytesShown)),
                                near.empty() ? "" : fmt::format("; did you mean `{}`?", near)),
                    list.empty() ? "its table is empty" : list);
}

// Models break off in the middle of their arguments when they reach their output limit: say so.
Error explained(Error error, const base::Text& arguments) {
  if (error.code != Code::invalid || error.what.find("incomplete JSON") == std::string::npos)
    return error;
  error.what += fmt::format("; the arguments break off after {} bytes", arguments.data.size());
  error.details =
      "the reply was cut, most likely at its output limit: send less in one call. " + error.details;
  return error;
}

// One request as it is run: whatever is wrong with it is its result.
Result<abi::ToolReply> run_request(const tools::Tool& tool, const base::Text& arguments,
                                   abi::Syscalls& sys) {
  if (arguments.blob)
    return base::fail(Code::internal, "the arguments of this call are not at hand");
  auto reply = tool.run(sys, arguments.data);
  if (!reply) return base::Unexpected(explained(std::move(reply).error(), arguments));
  return reply;
}

class Agent final : public abi::Program {
 public:
  explicit Agent(const tools::ToolSet& tools) : tools_(tools) {}

  Result<void> step(abi::Self& self) override {
    for (;;) {
      Mind mind = self.mind();
      if (!mind.open_calls.empty()) {
        TRY(run_open_calls(self, mind));
        mind = self.mind();
        if (!mind.open_calls.empty()) return {};  // they wait
      }
      if (mind.exiting) return {};
      if (TRY(ended(self, mind))) return {};
      if (TRY(take_turn(self, mind)) == Turn::wait) return {};
    }
  }

  abi::Self::Tool tool(const Mind& mind, const abi::ToolRequest& request) override {
    auto found = find(mind, request.name);
    if (!found)
      return [error = std::move(found).error()](abi::Syscalls&) -> Result<abi::ToolReply> {
        return base::Unexpected(error);
      };
    return [tool = *found, arguments = request.arguments](abi::Syscalls& sys) {
      return run_request(*tool, arguments, sys);
    };
  }

 private:
  enum class Turn : std::uint8_t { done, wait };

  Result<const tools::Tool*> find(const Mind& mind, std::string_view name) const {
    if (std::ranges::find(mind.tools, name) == mind.tools.end())
      return no_such_tool(mind.tools, name);
    if (const tools::Tool* tool = tools_.find(name)) return tool;
    return base::fail(
        Code::not_found,
        fmt::format("tool `{}` is in this process's table, but this runtime has none of that name",
                    base::printable(name)),
        "the image was made for another runtime; do without it");
  }

  // Runs what can run, in the order the model wrote it. After `exit` nothing new begins, and what
  // was asked for behind it is answered so.
  Result<void> run_open_calls(abi::Self& self, const Mind& mind) {
    for (std::size_t i = 0; i < mind.open_calls.size(); ++i) {
      const OpenCall& open = mind.open_calls[i];
      if (open.parked) continue;
      TRY(run_open_call(self, mind, open));
      if (open.request.name != kExitTool) continue;
      const Mind after = self.mind();
      if (after.exiting) return cancel_open_calls(self, after);
    }
    return {};
  }

  Result<void> run_open_call(abi::Self& self, const Mind& mind, const OpenCall& open) {
    if (mind.exiting && !open.call) return cancel(self, open);
    auto found = find(mind, open.request.name);
    if (!found) {
      const Error& error = found.error();
      return self.run_tool(open, [&error](abi::Syscalls&) -> Result<abi::ToolReply> {
        return base::Unexpected(error);
      });
    }
    const tools::Tool& tool = **found;
    const base::Text& arguments = open.request.arguments;
    return self.run_tool(open, [&tool, &arguments](abi::Syscalls& sys) {
      return run_request(tool, arguments, sys);
    });
  }

  static Result<void> cancel(abi::Self& self, const OpenCall& open) {
    return self.run_tool(open, [](abi::Syscalls&) -> Result<abi::ToolReply> {
      return base::fail(Code::cancelled, "not run: the process was ending",
                        "`exit` came before it");
    });
  }

  static Result<void> cancel_open_calls(abi::Self& self, const Mind& mind) {
    for (const OpenCall& open : mind.open_calls)
      if (!open.parked && !open.call) TRY(cancel(self, open));
    return {};
  }

  // Whether the transcript says that there is nothing more to do; ends the process then.
  static Result<bool> ended(abi::Self& self, const Mind& mind) {
    if (mind.transcript.size() == 0) return false;
    const Message& last = mind.transcript.back();
    if (is_final_reply(last)) {
      TRY(self.exit(last.text));
      return true;
    }
    if (!ends_with_two_empty_replies(mind.transcript)) return false;
    TRY(self.fail(
        {Code::unavailable,
         fmt::format("model {} gave two empty replies in a row", base::printable(mind.model)),
         "no text and no tool call; try another model, or a larger output limit"}));
    return true;
  }

  Result<Turn> take_turn(abi::Self& self, const Mind& mind) {
    if (mind.system.blob) {
      TRY(self.fail({Code::internal, "the system prompt of this process is not at hand", ""}));
      return Turn::wait;
    }
    abi::ModelGenerate call{.model = mind.model, .process = mind.name, .turn = mind.turn};
    continue_from(call, mind);
    const auto reply = self.generate(std::move(call));
    if (!reply) {
      TRY(stop_for(self, mind, reply.error()));
      return Turn::wait;
    }
    const bool cut = reply->finish == "length" && reply->tool_calls.empty();
    if (!cut) return Turn::done;
    TRY(
        self.pause(fmt::format("the model's reply was cut at its output limit after {} tokens; "
                               "raise the limit, or take it as it is: alos resume {}",
                               reply->output_tokens, base::to_string(mind.pid))));
    return Turn::wait;
  }

  // A script that ran out never has more to say; a used-up budget may be raised.
  static bool is_end_of_script(const Mind& mind, const Error& error) {
    return error.code == Code::exhausted && mind.model.starts_with("script:") &&
           !error.what.starts_with("budget ");
  }

  static Result<void> stop_for(abi::Self& self, const Mind& mind, const Error& error) {
    if (is_end_of_script(mind, error)) return self.fail(error);
    switch (error.code) {
      case Code::parked: return {};  // stepped again when the reply is there
      case Code::cancelled:
        return base::Unexpected(error);  // the process is being ended or held from outside
      case Code::unavailable:
      case Code::timeout:
      case Code::exhausted:
        return self.pause(fmt::format("{}; go on with: alos resume {}", tools::text_of(error),
                                      base::to_string(mind.pid)));
      default: return self.fail(error);
    }
  }

  // As abi's continue_from does, with the opening's digest at hand.
  void continue_from(abi::ModelGenerate& call, const Mind& mind) {
    const std::shared_ptr<const Opening> opening = opening_of(mind);
    abi::Conversation talk{opening->system, opening->tools, mind.transcript};
    const bool nudge = mind.transcript.size() > 0 && is_empty_reply(mind.transcript.back());
    if (nudge) talk.transcript.append({.role = Role::user, .text = std::string(kNudge)});
    call.context = base::Digest::of(opening->digest.view(), talk.transcript.head().view());
    call.conversation = std::make_shared<const abi::Conversation>(std::move(talk));
  }

  std::shared_ptr<const Opening> opening_of(const Mind& mind) {
    const std::lock_guard lock(mutex_);
    const auto key = std::tie(mind.system.data, mind.tools);
    if (const auto found = openings_.find(key); found != openings_.end()) return found->second;
    if (openings_.size() >= kOpeningsMax) openings_.clear();
    return openings_.emplace(key, make_opening(mind)).first->second;
  }

  // Tools that this runtime has not are left out.
  std::shared_ptr<const Opening> make_opening(const Mind& mind) const {
    std::vector<abi::ToolSpec> specs;
    for (const std::string& name : mind.tools)
      if (const tools::Tool* tool = tools_.find(name)) specs.push_back(tool->spec);
    base::Text system(mind.system.data + std::string(kFrame));
    std::string text;
    base::append_json_string(text, system.data);
    base::encode(text, specs);
    return std::make_shared<const Opening>(Opening{
        std::move(system), std::make_shared<const std::vector<abi::ToolSpec>>(std::move(specs)),
        base::Digest::of(text)});
  }

  const tools::ToolSet& tools_;
  std::mutex mutex_;  // guards openings_
  std::map<std::tuple<std::string, std::vector<std::string>>, std::shared_ptr<const Opening>,
           std::less<>>
      openings_;
};

}  // namespace

std::unique_ptr<abi::Program> make_agent(const tools::ToolSet& tools) {
  return std::make_unique<Agent>(tools);
}

}  // namespace alos::agent
