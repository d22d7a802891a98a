// ask_human, tell_human, request_permission, list_capabilities.
#include "tools/builtin/builtin.h"

namespace alos::tools {
namespace {

using base::Code;
using base::fail;
using base::Result;

struct AskHuman {
  static constexpr std::string_view kName = "ask_human";
  static constexpr std::string_view kDescription =
      "Ask the person you work for a question and wait for the answer. Ask when only they can know "
      "or decide.";
  struct Args {
    std::string question;
    std::optional<std::vector<std::string>> choices;
    std::optional<base::Json> schema;
    std::optional<std::uint64_t> timeout_s;
    std::optional<std::string> otherwise;
    ALOS_FIELDS(question, choices, schema, timeout_s, otherwise)
    static constexpr std::array<std::string_view, 5> kFieldDocs{
        "one clear question, with what they need to know to answer it",
        "possible answers to choose from; default: free text",
        "a JSON Schema: the answer is then JSON of that form",
        "wait no longer than so many seconds; default: for ever",
        "the answer when nobody gave one in time; default: an error"};
  };
  using Reply = abi::HumanAsk::Reply;

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    if (is_blank(args.question))
      return fail(Code::invalid, "`question` is empty", "say what you want to know");
    if (args.otherwise && !args.timeout_s)
      return fail(Code::invalid, "`otherwise` needs a `timeout_s`", "say how long to wait");
    abi::HumanAsk call{.question = std::move(args.question),
                       .choices = std::move(args.choices).value_or(std::vector<std::string>{}),
                       .schema = std::move(args.schema),
                       .otherwise = std::move(args.otherwise)};
    if (args.timeout_s) {
      if (*args.timeout_s == 0 || *args.timeout_s > 366ULL * 24 * 3600)
        return fail(Code::invalid, "`timeout_s` is from 1 second to 366 days of seconds");
      call.timeout_ms = *args.timeout_s * 1000;
    }
    return sys.call(std::move(call));
  }
};

struct TellHuman {
  static constexpr std::string_view kName = "tell_human";
  static constexpr std::string_view kDescription =
      "Tell the person you work for something, without waiting for an answer.";
  struct Args {
    std::string text;
    ALOS_FIELDS(text)
  };
  struct Reply {
    std::string told;
    ALOS_FIELDS(told)
  };

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    if (is_blank(args.text))
      return fail(Code::invalid, "`text` is empty", "say what they should know");
    abi::HumanTell call{.text = std::move(args.text)};
    Reply reply{call.to};
    TRY(sys.call(std::move(call)));
    return reply;
  }
};

struct RequestPermission {
  static constexpr std::string_view kName = "request_permission";
  static constexpr std::string_view kDescription =
      "Ask the person you work for to grant you something you were denied, and wait for the "
      "decision. A grant is "
      "`RIGHTS RESOURCE [uses=N] [until=TIME]`, RIGHTS of read, write, list, execute: `read,list "
      "fs:/workspace/docs/**`, "
      "`write fs:/workspace/out.md uses=1`. Ask for no more than the work needs.";
  struct Args {
    std::vector<abi::Grant> grants;
    std::string reason;
    ALOS_FIELDS(grants, reason)
    static constexpr std::array<std::string_view, 2> kFieldDocs{
        "the grants", "why the work needs them, in a sentence"};
  };
  struct Reply {
    std::vector<std::string> granted;
    ALOS_FIELDS(granted)
  };

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    if (args.grants.empty())
      return fail(Code::invalid, "`grants` is empty",
                  "for example [\"read fs:/workspace/docs/**\"]");
    const auto got = TRY(sys.call(abi::CapRequest{std::move(args.grants), std::move(args.reason)}));
    Reply reply;
    for (const base::CapId id : got.granted)
      reply.granted.push_back(base::to_string(sys.caller().pid.job, id));
    return reply;
  }
};

struct ListCapabilities {
  static constexpr std::string_view kName = "list_capabilities";
  static constexpr std::string_view kDescription =
      "List what this process is allowed to do, what it must ask for, and what it is denied.";
  struct Args {
    ALOS_FIELDS()
  };
  struct Item {
    std::string id;
    abi::Grant grant;
    std::string from;
    ALOS_FIELDS(id, grant, from)
  };
  struct Reply {
    std::vector<Item> capabilities;
    ALOS_FIELDS(capabilities)
  };

  static Result<Reply> run(abi::Syscalls& sys, Args) {
    auto list = TRY(sys.call(abi::CapList{}));
    Reply reply;
    for (auto& item : list.capabilities)
      reply.capabilities.push_back({base::to_string(sys.caller().pid.job, item.id),
                                    std::move(item.grant), std::move(item.from)});
    return reply;
  }
};

}  // namespace

std::vector<Tool> human_tools() {
  return make_tools<AskHuman, TellHuman, RequestPermission, ListCapabilities>();
}

}  // namespace alos::tools
