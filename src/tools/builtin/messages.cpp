// send_message, receive_message.
#include "base/text.h"
#include "tools/builtin/builtin.h"

namespace alos::tools {
namespace {

using base::Code;
using base::fail;
using base::Result;

// A pid, `parent`, or the name of one of those below.
Result<base::Pid> correspondent(abi::Syscalls& sys, const std::string& text) {
  if (text != "parent") return process_named(sys, text);
  const auto self = TRY(sys.call(abi::ProcInfo{}));
  if (self.parent) return *self.parent;
  return fail(Code::not_found, "you have no parent: a person started you",
              "tell_human speaks to them");
}

struct SendMessage {
  static constexpr std::string_view kName = "send_message";
  static constexpr std::string_view kDescription =
      "Put a message into another process's mailbox. It arrives once, and stays until it is "
      "received.";
  struct Args {
    std::string to;
    std::string text;
    std::optional<std::string> kind;
    std::optional<std::uint64_t> re;
    ALOS_FIELDS(to, text, kind, re)
    static constexpr std::array<std::string_view, 4> kFieldDocs{
        "a pid as in 7.2, `parent`, or the name of a process that you started", "what to say",
        "a word to tell messages apart; default: message", "the number of the message it answers"};
  };
  using Reply = abi::MsgSend::Reply;

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    const base::Pid to = TRY(correspondent(sys, args.to));
    return sys.call(abi::MsgSend{to, std::move(args.kind).value_or("message"),
                                 base::Text(std::move(args.text)), args.re});
  }
};

struct ReceiveMessage {
  static constexpr std::string_view kName = "receive_message";
  static constexpr std::string_view kDescription =
      "Take the oldest message out of your mailbox; wait until there is one.";
  struct Args {
    std::optional<std::string> from;
    std::optional<std::string> kind;
    std::optional<std::uint64_t> re;
    std::optional<std::uint64_t> timeout_s;
    ALOS_FIELDS(from, kind, re, timeout_s)
    static constexpr std::array<std::string_view, 4> kFieldDocs{
        "only from this pid, `parent` or name; default: anybody", "only of this kind",
        "only the answer to your message of this number",
        "give up after so many seconds; default: never"};
  };
  struct Reply {
    std::string from;
    std::uint64_t number = 0;
    std::string kind;
    std::string text;
    std::optional<std::uint64_t> re;
    std::uint64_t left = 0;
    ALOS_FIELDS(from, number, kind, text, re, left)
  };

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    abi::MsgReceive call;
    if (args.from && args.from->starts_with("human:"))
      call.which.from = *args.from;
    else if (args.from)
      call.which.from = base::to_string(TRY(correspondent(sys, *args.from)));
    call.which.kind = std::move(args.kind);
    call.which.re = args.re;
    if (args.timeout_s) {
      if (*args.timeout_s > 366ULL * 24 * 3600)
        return fail(Code::invalid, "`timeout_s` is at most 366 days of seconds");
      call.timeout_ms = *args.timeout_s * 1000;
    }
    auto came = TRY(sys.call(std::move(call)));
    std::string text = TRY(bytes_of(std::move(came.letter.text)));
    return Reply{came.letter.from, came.letter.number, came.letter.kind,
                 std::move(text),  came.letter.re,     came.left};
  }
};

}  // namespace

std::vector<Tool> message_tools() { return make_tools<SendMessage, ReceiveMessage>(); }

}  // namespace alos::tools
