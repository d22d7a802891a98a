#include <array>

#include "surface/arguments.h"
#include "surface/commands.h"

namespace alos::surface {
namespace {

constexpr WordSpec kPid[] = {{"PID"}};
constexpr WordSpec kId[] = {{"ID"}};
constexpr WordSpec kName[] = {{"NAME"}};
constexpr WordSpec kGoal[] = {{"MANIFEST.yaml | GOAL"}};
constexpr WordSpec kPidOrNone[] = {{"PID", Presence::optional}};
constexpr WordSpec kJobOrNone[] = {{"JOB", Presence::optional}};
constexpr WordSpec kAnswer[] = {{"ID"}, {"TEXT"}};
constexpr WordSpec kGrant[] = {{"PID"}, {"GRANT"}};
constexpr WordSpec kCap[] = {{"CAPABILITY"}};
constexpr WordSpec kSeq[] = {{"[JOB:]SEQ"}};
constexpr WordSpec kCall[] = {{"PID"}, {"TOOL"}, {"JSON", Presence::optional}};
constexpr WordSpec kMessage[] = {{"PID"}, {"TEXT"}};
constexpr WordSpec kBudget[] = {{"PID"}, {"KEY=VALUE", Presence::optional}};
constexpr WordSpec kShell[] = {{"SHELL"}};

constexpr OptionSpec kApprove{"approve", "ask|allow|deny|FILE",
                              "who answers what the run asks: you (ask), or rules"};
constexpr OptionSpec kRunOptions[] = {
    {"image", "NAME|DIR", "what the process boots from (default: coding with roots, else base)"},
    {"model", "PROVIDER/NAME", "openai/NAME, ollama/NAME, or script:FILE"},
    {"root", "NAME=DIR", "a directory the agent may be granted, seen as /NAME; may be repeated"},
    {"grant", "GRANT", "RIGHTS RESOURCE [ask|deny] [uses=N] [until=TIME] ...; may be repeated"},
    {"policy", "coding",
     "grants for the first root: read all but known secrets, write where code is, ask for the "
     "rest"},
    {"budget", "KEY=VALUE",
     "a limit, as tool_calls=300, usd=2.50, wall=2h; or on_exhausted=ask; may be repeated"},
    kApprove,
    {"base-grants", "none", "leave out clock, objects, asking and the model"},
    {"cwd", "PATH", "where it starts, as /workspace/src (default: the first root)"},
    {"name", "NAME", "of the process (default: root)"},
    {"dry-run", "", "show what it would be given, start nothing"},
    {"paused", "", "make the process, do not start it"},
    {"detach", "", "in the background: of the daemon (alos serve) that works on the store"},
};
constexpr OptionSpec kServeOptions[] = {
    {"grace", "DURATION", "how long calls under way may take to end, when it is ended (10s)"}};
constexpr OptionSpec kResumeOptions[] = {
    kApprove,
    {"all", "", "every process that has not ended"},
    {"detach", "", "in the background: of the daemon that works on the store"},
};
constexpr OptionSpec kAs{"as", "NAME", "who says so: somebody of the manifest's people"};
constexpr OptionSpec kApproveOptions[] = {
    {"once", "", "this very call (the default)"},
    {"uses", "N", "this and the like, N times"},
    {"until", "TIME", "this and the like, until then: 2h, or 2026-11-22T18:00:00Z"},
    {"process", "", "this and the like, for this process"},
    {"job", "", "this and the like, for every process of the job, now and later"},
    {"always", "", "the same, and in later jobs: saved in policy.yaml"},
    {"over", "PATTERN", "what the yes is given over, as fs:/workspace/docs/** (not with --once)"},
    {"more", "AMOUNT", "of a budget that is used up: so much more, as 50, 2.50, 10m or 5MB"},
    {"edit", "JSON|@FILE", "do this instead: the call of `approvals --json`, changed"},
    kAs,
};
constexpr OptionSpec kDenyOptions[] = {
    {"reason", "TEXT", "recorded, and told to the agent"},
    {"always", "", "and never ask again, also in later jobs: saved in policy.yaml"},
    kAs,
};
constexpr OptionSpec kAnswerOptions[] = {kAs};
constexpr OptionSpec kReason[] = {{"reason", "TEXT", "recorded, and told to the agent"}};
constexpr OptionSpec kAll[] = {{"all", "", "also what has ended", 'a'}};
constexpr OptionSpec kAllRequests[] = {
    {"all", "", "also what is answered", 'a'},
    {"after", "ID", "only those behind this one"},
    {"limit", "N", "at most so many (default: 1000)"},
};
constexpr OptionSpec kLogOptions[] = {
    {"follow", "", "go on with what comes", 'f'},
    {"job", "", "all processes of the job"},
    {"from", "SEQ", "begin at this record"},
};
constexpr OptionSpec kShowOptions[] = {{"full", "", "do not shorten texts"}};
constexpr OptionSpec kWhyOptions[] = {{"full", "", "every record on the way"}};
constexpr OptionSpec kCapsOptions[] = {
    {"tree", "", "by descent: what was derived from what, which answers which ask"},
    {"job", "", "of every process of the job"},
};
constexpr OptionSpec kTimeout[] = {{"timeout", "DURATION", "give up after, as in 30s"}};
constexpr OptionSpec kKeep[] = {{"keep", "", "keep the directory"}};

constexpr OptionSpec kTopOptions[] = {
    {"all", "", "also what has ended", 'a'},
    {"once", "", "one table; so also where the output is no terminal"},
};

constexpr CommandSpec kCommands[] = {
    {"run", "start an agent on a goal, in the foreground", kGoal, kRunOptions,
     "alos run \"Collect the TODOs under src in TODO.md\" --root workspace=. \\\n"
     "    --grant 'read,list fs:/workspace/**' --grant 'write fs:/workspace/TODO.md' --model "
     "openai/gpt-5\n"
     "alos run manifest.yaml --approve rules.yaml --json\n"
     "alos run manifest.yaml --dry-run",
     Access::host, run_in_daemon, run_goal},
    {"ps",
     "processes that have not ended",
     {},
     kAll,
     "alos ps\nalos ps --all --json",
     Access::look,
     ps},
    {"top",
     "processes, what they wait for and what they spend",
     {},
     kTopOptions,
     "alos top\nalos top --once --all",
     Access::look,
     top},
    {"tree", "processes by descent", {}, kAll, "alos tree --all", Access::look, tree},
    {"show", "a process and its conversation", kPid, kShowOptions,
     "alos show 7.1\nalos show 7.1 --full", Access::look, show},
    {"log", "the records of a process", kPid, kLogOptions,
     "alos log 7.1\nalos log 7.1 -f --json\nalos log 7.1 --from 40", Access::look, log},
    {"wait", "until a process has ended or is paused", kPid, kTimeout,
     "alos wait 7.1 --timeout 10m", Access::follow, wait},
    {"pause", "hold a process; what it began goes on to its end", kPid, kReason,
     "alos pause 7.1 --reason 'let me look first'", Access::act, pause},
    {"kill", "end a process", kPid, kReason, "alos kill 7.1", Access::act, kill},
    {"resume", "go on with what was paused or interrupted, in the foreground", kPidOrNone,
     kResumeOptions, "alos resume 7.1\nalos resume --all --approve deny", Access::host,
     resume_in_daemon, resume},
    {"attach",
     "watch a process that works in the background",
     kPid,
     {},
     "alos attach 7.1",
     Access::follow,
     attach},
    {"serve",
     "work in the background on all that is started, until ended",
     {},
     kServeOptions,
     "alos serve &\nalos serve --grace 1m",
     Access::host,
     nullptr,
     serve},
    {"approvals",
     "questions and approvals that wait for an answer",
     {},
     kAllRequests,
     "alos approvals",
     Access::look,
     approvals},
    {"approve", "say yes", kId, kApproveOptions,
     "alos approve 7.r2\nalos approve 7.r2 --until 2h\n"
     "alos approve 7.r2 --process --over 'fs:/workspace/docs/**'\n"
     "alos approve 7.r2 --always\nalos approve 7.r2 --edit @call.json\n"
     "alos approve 7.r2 --as ada",
     Access::act, approve},
    {"deny", "say no", kId, kDenyOptions,
     "alos deny 7.r2 --reason 'put it under docs instead'\nalos deny 7.r2 --always", Access::act,
     deny},
    {"answer", "answer a question", kAnswer, kAnswerOptions, "alos answer 7.r3 'the second one'",
     Access::act, answer},
    {"policy",
     "what is answered for good: the rules of policy.yaml",
     {},
     {},
     "alos policy\nalos policy --json",
     Access::host,
     nullptr,
     policy},
    {"caps", "the authority a process holds", kPid, kCapsOptions,
     "alos caps 7.1\nalos caps 7.1 --tree --job", Access::look, caps},
    {"grant",
     "give a process authority",
     kGrant,
     {},
     "alos grant 7.1 'write fs:/workspace/docs/** until=2h'",
     Access::act,
     grant},
    {"send", "put a message into a process's mailbox", kMessage, kAnswerOptions,
     "alos send 7.1 'the build is green again'", Access::act, send},
    {"budget",
     "what a process may spend and has spent; changes a limit",
     kBudget,
     {},
     "alos budget 7.1\nalos budget 7.1 tool_calls=300\nalos budget 7.1 usd=none",
     Access::act,
     budget},
    {"revoke",
     "take a capability back, and all derived from it",
     kCap,
     {},
     "alos revoke 7.c4",
     Access::act,
     revoke},
    {"why", "what led to a record", kSeq, kWhyOptions,
     "alos why 41\nalos why 7:41\nalos why 41 --full", Access::look, why},
    {"call",
     "one tool call as that process, without the model",
     kCall,
     {},
     "alos call 7.1 read_file '{\"path\":\"README.md\"}'",
     Access::act,
     call},
    {"audit verify",
     "recompute every hash and every state",
     kJobOrNone,
     {},
     "alos audit verify\nalos audit verify 7",
     Access::look,
     audit_verify},
    {"audit export",
     "canonical records, one a line, as they are hashed",
     kJobOrNone,
     {},
     "alos audit export 7 > job7.jsonl",
     Access::look,
     audit_export},
    {"audit log",
     "decisions only: refusals, questions, answers, grants",
     kJobOrNone,
     {},
     "alos audit log",
     Access::look,
     audit_log},
    {"store check",
     "read everything, report what is not as it was written",
     {},
     {},
     "alos store check",
     Access::look,
     store_check},
    {"store rebuild",
     "make the tables for looking up anew, from the journal",
     {},
     {},
     "alos store rebuild",
     Access::act,
     store_rebuild},
    {"image list",
     "what processes can boot from",
     {},
     {},
     "alos image list",
     Access::images,
     image_list},
    {"image inspect",
     "one image: prompt, tools, needs",
     kName,
     {},
     "alos image inspect coding",
     Access::images,
     image_inspect},
    {"demo",
     "an agent on a small project: refused, asked, killed, resumed",
     {},
     kKeep,
     "alos demo\nalos demo --keep",
     Access::host,
     nullptr,
     demo},
    {"version", "the version", {}, {}, "alos version", Access::host, nullptr, version},
    {"completion",
     "a completion script for a shell",
     kShell,
     {},
     "source <(alos completion bash)",
     Access::host,
     nullptr,
     completion},
};

constexpr OptionSpec kCommon[] = {
    {"store", "DIR",
     "where everything is kept (default: $XDG_DATA_HOME/alos or ~/.local/share/alos)"},
    {"json", "", "JSON lines on stdout, one object each"},
    {"help", "", "this text", 'h'},
};

}  // namespace

std::span<const CommandSpec> commands() { return kCommands; }
std::span<const OptionSpec> common_options() { return kCommon; }

const CommandSpec* find_command(std::string_view name) {
  for (const CommandSpec& command : kCommands)
    if (command.name == name) return &command;
  return nullptr;
}

}  // namespace alos::surface
