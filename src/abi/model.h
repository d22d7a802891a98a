// Models: model.generate, and the conversation it continues.
#pragma once

#include <memory>

#include "abi/call.h"

namespace alos::abi {

// A tool as the model sees it.
struct ToolSpec {
  std::string name;
  std::string description;
  base::Json schema;  // JSON Schema of the arguments
  ALOS_FIELDS(name, description, schema)
};

// One tool call as the model wrote it. `arguments` may be no JSON at all.
struct ToolRequest {
  std::string id;  // the model's own, to answer to; unique within its reply
  std::string name;
  base::Text arguments;
  ALOS_FIELDS(id, name, arguments)
  bool operator==(const ToolRequest&) const = default;
};

ALOS_ENUM(Role, user, assistant, tool)

struct Message {
  Role role = Role::user;
  base::Text text;
  std::vector<ToolRequest> tool_calls;      // assistant
  std::optional<std::string> tool_call_id;  // tool: the request it answers
  ALOS_FIELDS(role, text, tool_calls, tool_call_id)
  bool operator==(const Message&) const = default;
};

// What was said so far: an append-only list that is shared, not copied; a Transcript is a value of
// one pointer. Its head digest names the whole of it.
class Transcript {
 public:
  std::size_t size() const { return last_ ? last_->size : 0; }
  base::Digest head() const { return last_ ? last_->head : base::Digest{}; }
  std::uint64_t bytes() const { return last_ ? last_->bytes : 0; }  // of all its texts
  const Message& back() const { return last_->message; }
  const Message& from_back(std::size_t count) const;  // 0: the last; the transcript must be longer
  void append(Message message);
  std::vector<const Message*> messages() const;  // oldest first; valid as long as this Transcript

  std::vector<Message> to_items() const;
  static Transcript from_items(std::vector<Message> messages);

 private:
  struct Node {
    std::shared_ptr<const Node> previous;
    Message message;
    base::Digest head;
    std::size_t size = 0;
    std::uint64_t bytes = 0;
    Node(std::shared_ptr<const Node> before, Message text, base::Digest digest);
    Node(const Node&) = delete;
    Node& operator=(const Node&) = delete;
    ~Node();  // not recursive
  };
  std::shared_ptr<const Node> last_;
};

struct Conversation {
  base::Text system;
  std::shared_ptr<const std::vector<ToolSpec>> tools;
  Transcript transcript;
  std::uint64_t bytes() const;  // of all that the model is sent
};

struct ModelGenerate {
  std::string model;       // PROVIDER/NAME, as in openai/gpt-5 or script:./turns.jsonl
  std::string process;     // the process's name, for scripted models
  std::uint32_t turn = 0;  // how many replies this process has had before
  base::Digest context;    // of the conversation
  ALOS_FIELDS(model, process, turn, context)

  // Set by the kernel from what is left of the budget; hence not a field. 0: the model's own limit.
  std::uint64_t output_tokens_max = 0;

  std::shared_ptr<const Conversation> conversation;  // named by `context`, hence not a field
  void continue_from(Conversation talk);             // sets both

  struct Reply {
    base::Text text;
    std::vector<ToolRequest> tool_calls;
    std::uint64_t input_tokens = 0;
    std::uint64_t output_tokens = 0;
    std::string finish;      // stop, tool_calls, length
    bool unmetered = false;  // it does not say what it used
    ALOS_FIELDS(text, tool_calls, input_tokens, output_tokens, finish, unmetered)
    static constexpr std::size_t kAddedFrom = 5;
  };
  static constexpr std::string_view kName = "model.generate";
  static constexpr auto kClass = EffectClass::repeatable;
  static constexpr bool kDeferred = true;
  Needs needs(const Caller&) const {
    return {{Resource::model(model), Right::execute, Reach::exact}};
  }
};

using ModelCalls = CallList<ModelGenerate>;

}  // namespace alos::abi
