#include "surface/prompt.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/text.h"
#include "surface/narrate.h"
#include "surface/table.h"

namespace alos::surface {

using base::Code;
using base::fail;
using base::Result;
using kernel::Answer;
using kernel::ProcessView;
using kernel::RequestView;

namespace {

constexpr std::size_t kGoalBytesMax = 200;
constexpr std::size_t kAskedTextBytesMax = 2000;
constexpr std::size_t kColumnsMin = 40;
constexpr std::size_t kPreviewLinesMax = 80;

// One line of the width; of a longer one both ends, and how much lies between.
std::string fitted(std::string_view text, std::size_t width) {
  std::string shown = base::printable(text);
  const std::size_t all = columns(shown);
  if (all <= width) return shown;
  constexpr std::size_t kTail = 24, kNote = 24;
  if (width < kTail + 2 * kNote) return fmt::format("{} ({} more)", cut(shown, width), all - width);
  std::size_t at = shown.size();
  for (std::size_t seen = 0; seen < kTail && at > 0; --at)
    if ((static_cast<unsigned char>(shown[at - 1]) & 0xC0U) != 0x80) ++seen;
  const std::size_t kept = width - kTail - kNote;
  return fmt::format("{} ({} more) … {}", cut(shown, kept), all - kept - kTail, shown.substr(at));
}

// Long texts are cut, short of hiding that they are.
std::string whole(std::string_view text) {
  const std::string shown = base::printable(base::shortened(text, kAskedTextBytesMax));
  return text.size() <= kAskedTextBytesMax
             ? shown
             : fmt::format("{} ({} bytes in all)", shown, text.size());
}

std::string ask_in_words(std::string_view ask) {
  const std::size_t space = ask.find(' ');
  return space == std::string_view::npos ? base::printable(ask)
                                         : in_words(ask.substr(0, space), ask.substr(space + 1));
}

std::string asks_in_words(const RequestView& request) {
  std::string out;
  for (const std::string& ask : request.asks)
    out += (out.empty() ? "" : " and ") + ask_in_words(base::shortened(ask, kAskedTextBytesMax));
  return out;
}

// Whether each ask covers all of it: a yes is given over no more.
bool lies_within(const abi::Pattern& over, const RequestView& request) {
  const auto covers = [&](const std::string& ask) {
    const auto pattern = abi::Pattern::from_text(ask);
    return pattern && pattern->covers(over);
  };
  return !request.within.empty() &&
         std::all_of(request.within.begin(), request.within.end(), covers);
}

// The folder that all that is asked for lies in, as a pattern, where a yes may be given over it.
std::optional<abi::Pattern> folder_of(const RequestView& request) {
  std::string folder;
  for (const std::string& ask : request.asks) {
    const std::size_t at = ask.find(" fs:/");
    const std::size_t end = ask.rfind('/');
    if (at == std::string::npos || end < at + 6) return std::nullopt;
    const std::string one = ask.substr(at + 1, end - at - 1);
    if (!folder.empty() && folder != one) return std::nullopt;
    folder = one;
  }
  const auto pattern = abi::Pattern::from_text(folder + "/**");
  if (folder.empty() || !pattern || !lies_within(*pattern, request)) return std::nullopt;
  return *pattern;
}

std::string over_folder(const RequestView& request, const abi::Pattern& folder) {
  std::string rights;
  for (const std::string& ask : request.asks) {
    const std::string right = ask.substr(0, ask.find(' '));
    if (rights.find(right) == std::string::npos) rights += (rights.empty() ? "" : ",") + right;
  }
  return in_words(rights, folder.text());
}

std::string job_of(const RequestView& request) {
  return fmt::format("job {}", request.pid.job.value);
}

void add_deadline(const RequestView& request, base::Time now,
                  const std::function<void(std::string_view, const std::string&)>& line) {
  if (!request.deadline) return;
  const base::Duration left = *request.deadline - now;
  const std::int64_t seconds = std::max<std::int64_t>(left.count() / 1'000'000, 0);
  const std::string in = seconds >= 7200  ? fmt::format("{} h", seconds / 3600)
                         : seconds >= 120 ? fmt::format("{} min", seconds / 60)
                                          : fmt::format("{} s", seconds);
  line("until", fmt::format("{} UTC, in {}; then the answer is: {}", clock_of(*request.deadline),
                            in, whole(request.otherwise)));
}

std::string preview_text(const Style& style, std::string_view preview) {
  std::string out;
  const std::size_t width = std::max<std::size_t>(style.width, kColumnsMin + 6) - 6;
  for (std::size_t lines = 0; !preview.empty(); ++lines) {
    if (lines == kPreviewLinesMax) return out + paint(style, Ink::dim, "  | … more lines") + '\n';
    const std::size_t end = preview.find('\n');
    const std::string_view one = preview.substr(0, end);
    const Ink ink = one.starts_with('+')    ? Ink::green
                    : one.starts_with('-')  ? Ink::red
                    : one.starts_with("@@") ? Ink::cyan
                                            : Ink::plain;
    out += paint(style, Ink::dim, "  | ") + paint(style, ink, fitted(one, width)) + '\n';
    preview = end == std::string_view::npos ? std::string_view{} : preview.substr(end + 1);
  }
  return out;
}

// `name` and what it is, as all lines of a prompt begin.
std::string named(const Style& style, std::string_view name, std::string_view what) {
  return fmt::format("  {} {}\n", paint(style, Ink::dim, fmt::format("{:<8}", name)), what);
}

std::string choices_text(const Style& style, const RequestView& request) {
  std::string out;
  if (request.kind == "question") {
    for (std::size_t i = 0; i < request.choices.size(); ++i)
      out += fmt::format("  [{}] {}\n", i + 1, whole(request.choices[i]));
    if (!request.schema.empty())
      out += fmt::format("  {} {}\n", paint(style, Ink::dim, "as JSON "), whole(request.schema));
    return out + (request.choices.empty() ? "  your answer> " : "  a number> ");
  }
  for (const Choice& choice : choices_of(request)) {
    const std::string name = choice.word == "never"
                                 ? "[N]ever"
                                 : fmt::format("[{}]{}", choice.key, choice.word.substr(1));
    out +=
        fmt::format("  {} {}\n", paint(style, Ink::bold, fmt::format("{:<9}", name)), choice.what);
  }
  if (request.budget)
    return out + paint(style, Ink::dim, "  also: `more AMOUNT`\n") +
           "  [n]o, and the process ends; or why not> ";
  out += paint(style, Ink::dim,
               "  also: `uses 3`, `until 2h`; and `over PATTERN` behind any but once and no") +
         '\n';
  return out + "  [n]o, or why not> ";
}

// `uses 3`, `until 2h`: nothing when the line is neither.
Result<std::optional<Answer>> limited(const std::string& line, base::Time now) {
  const std::size_t space = line.find(' ');
  if (space == std::string::npos || line.find(' ', space + 1) != std::string::npos)
    return std::optional<Answer>();
  const std::string word = line.substr(0, space), value = line.substr(space + 1);
  Answer answer{.kind = Answer::Kind::approve};
  if (word == "uses" || word == "u") {
    const auto uses = base::parse_unsigned(value);
    if (!uses || *uses == 0)
      return fail(Code::invalid, fmt::format("`{}` is not a number of uses", fitted(value, 60)));
    answer.scope = Answer::Scope::uses, answer.uses = *uses;
    return std::optional(answer);
  }
  if (word == "until" || word == "t") {
    const auto span = base::parse_duration(value);
    const auto time = span ? Result<base::Time>(now + *span) : base::parse_time(value);
    if (!time || *time <= now)
      return fail(Code::invalid, fmt::format("`{}` is not a time to come", fitted(value, 60)),
                  "for example: until 2h");
    answer.scope = Answer::Scope::until, answer.until = *time;
    return std::optional(answer);
  }
  return std::optional<Answer>();
}

std::string trimmed(const std::string& line) {
  const std::size_t first = line.find_first_not_of(" \t\r");
  if (first == std::string::npos) return {};
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

// A request of an older journal has no preview of most calls; the call itself says as much.
std::string call_text(const Style& style, const RequestView& request) {
  std::string out;
  if (!request.call.empty())
    out += named(style, "call", paint(style, Ink::bold, whole(request.call)));
  const bool shown = !request.preview.empty() || request.call.empty();
  return out + preview_text(style, shown ? request.preview
                                         : base::shortened(request.arguments, kAskedTextBytesMax));
}

std::string in_words(std::string_view right, std::string_view pattern) {
  std::string what(right);
  if (right == "execute") what = pattern.starts_with("model:") ? "use" : "run";
  constexpr std::string_view kBeneath = "/**";
  if (!pattern.ends_with(kBeneath)) return base::printable(what) + ' ' + base::printable(pattern);
  return base::printable(what) + " anything under " +
         base::printable(pattern.substr(0, pattern.size() - 2));
}

std::vector<Choice> choices_of(const RequestView& request) {
  using Scope = Answer::Scope;
  const auto yes = [](Scope scope) {
    return Answer{.kind = Answer::Kind::approve, .scope = scope};
  };
  constexpr std::size_t kAskedBytesMax = 160;
  std::string asked = asks_in_words(request);
  if (asked.size() > kAskedBytesMax) asked = "what is said above";
  const std::string while_it_lives = fmt::format(" until {} ends", base::to_string(request.pid));
  const bool call = request.kind == "approval";
  std::vector<Choice> out;
  if (request.budget)
    return {{"m", "more", "another " + abi::amount_text(*request.budget, request.more),
             yes(Scope::once)}};
  out.push_back({"o", "once", call ? "this very call" : asked + ", one time", yes(Scope::once)});
  out.push_back({"p", "process", asked + while_it_lives, yes(Scope::process)});
  if (!call) return out;
  if (const auto folder = folder_of(request)) {
    Answer answer = yes(Scope::process);
    answer.over = folder;
    out.push_back({"f", "folder", over_folder(request, *folder) + while_it_lives, answer});
  }
  if (request.who.empty()) {  // what named people are asked is not answered for good
    out.push_back({"j", "job", fmt::format("{}, every process of {}", asked, job_of(request)),
                   yes(Scope::job)});
    out.push_back({"a", "always", fmt::format("the same, and in later jobs (saved in policy.yaml)"),
                   yes(Scope::job), Then::save});
  }
  if (!request.arguments.empty() && request.votes.empty() && request.who.empty())
    out.push_back({"e", "edit", "change the call, and approve it once as it is then",
                   yes(Scope::once), Then::edit});
  out.push_back({"N", "never", "no, and never ask again (saved in policy.yaml)",
                 Answer{.kind = Answer::Kind::deny, .scope = Scope::job}, Then::save});
  return out;
}

std::string prompt_text(const Style& style, const RequestView& request,
                        const std::vector<ProcessView>& ancestors, base::Time now) {
  std::string text = fmt::format("\n{} {} {} asks {}\n", paint(style, Ink::yellow, "?"),
                                 paint(style, Ink::bold, base::to_string(request.pid)),
                                 fitted(request.process, 60),
                                 paint(style, Ink::dim, fmt::format("({})", request.id)));
  const auto line = [&](std::string_view name, const std::string& what) {
    text += named(style, name, what);
  };
  if (ancestors.size() > 1) {
    std::string chain;
    for (const ProcessView& process : ancestors)
      chain += fmt::format("{}{} {}", chain.empty() ? "" : " > ", base::to_string(process.pid),
                           fitted(process.name, 40));
    line("made by", chain);
  }
  line("goal", base::printable(base::shortened(request.goal, kGoalBytesMax)));
  if (request.kind == "approval") {
    for (const std::string& ask : request.asks)
      line("wants to",
           paint(style, Ink::bold, ask_in_words(base::shortened(ask, kAskedTextBytesMax))));
  } else {
    line(request.kind == "question" ? "question"
         : request.budget           ? "budget"
                                    : "reason",
         whole(request.question));
    for (const std::string& ask : request.asks) line("wants", paint(style, Ink::bold, whole(ask)));
  }
  text += call_text(style, request);
  if (!request.who.empty()) {
    std::string votes;
    for (const std::string& vote : request.votes)
      votes += (votes.empty() ? "; yes so far: " : ", ") + base::printable(vote);
    line("yes from", whole(request.who) + votes);
  }
  add_deadline(request, now, line);
  return text + choices_text(style, request);
}

Result<std::optional<Said>> understood(const RequestView& request, const std::string& line,
                                       base::Time now) {
  const std::string text = trimmed(line);
  if (text.empty()) return std::optional<Said>{};
  if (request.kind == "question") {
    const auto number = base::parse_unsigned(text);
    const bool chosen = number && *number >= 1 && *number <= request.choices.size();
    return std::optional(
        Said{{.kind = Answer::Kind::answer, .text = chosen ? request.choices[*number - 1] : text}});
  }
  constexpr std::string_view kOver = " over ";
  const std::size_t at = text.find(kOver);
  const std::string before = text.substr(0, at);
  std::optional<Said> said;
  for (const Choice& choice : choices_of(request))
    if (before == choice.key || before == choice.word) said = Said{choice.answer, choice.then};
  if (request.budget && before.starts_with("more "))
    said = Said{{.kind = Answer::Kind::approve,
                 .more = TRY(abi::parse_amount(*request.budget, before.substr(5)))}};
  if (before == "y" || before == "yes") said = Said{{.kind = Answer::Kind::approve}};
  if (!said)
    if (auto answer = TRY(limited(before, now))) said = Said{std::move(*answer)};
  if (!said)
    return std::optional(Said{
        {.kind = Answer::Kind::deny, .text = text == "n" || text == "no" ? std::string() : text}});
  if (at != std::string::npos)
    said->answer.over = TRY(abi::Pattern::from_text(text.substr(at + kOver.size())));
  return said;
}

}  // namespace alos::surface
