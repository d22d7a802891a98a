// log, why, audit, store check: what happened, and whether it is still as it was written.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "base/json.h"
#include "base/text.h"
#include "surface/commands.h"
#include "surface/narrate.h"
#include "surface/records.h"

namespace alos::surface {

using base::Code;
using base::fail;
using base::Result;
using kernel::RecordView;

namespace {

constexpr auto kPollEvery = std::chrono::milliseconds(200);
constexpr std::size_t kCausesMax = 10'000;

void print(Session& session, const RecordView& record) {
  session.output.out(session.style.json() ? json_line(record) : text_line(session.style, record));
}

Result<base::JobId> parse_job(std::string_view text) {
  const auto number = base::parse_unsigned(text);
  if (!number || *number == 0)
    return fail(Code::invalid,
                fmt::format("`{}` is not a job", base::printable(base::shortened(text, 40))),
                "a job is a number, as the 7 of process 7.1");
  return base::JobId{*number};
}

Result<std::vector<base::JobId>> chosen_jobs(Session& session, const Arguments& arguments) {
  if (arguments.words.empty()) return session.kernel.jobs();
  const base::JobId job = TRY(parse_job(arguments.words[0]));
  const auto known = TRY(session.kernel.jobs());
  if (std::find(known.begin(), known.end(), job) == known.end())
    return fail(Code::not_found, fmt::format("no job {}", job.value),
                known.empty() ? "the store has no jobs"
                              : fmt::format("there are {}, the last is {}", known.size(),
                                            known.back().value));
  return std::vector<base::JobId>{job};
}

struct RecordPlace {
  base::JobId job;
  base::Seq seq = 0;
};

Result<RecordPlace> parse_place(Session& session, std::string_view text) {
  const std::size_t colon = text.find(':');
  const auto seq =
      base::parse_unsigned(colon == std::string_view::npos ? text : text.substr(colon + 1));
  if (!seq || *seq == 0)
    return fail(Code::invalid,
                fmt::format("`{}` is not a record", base::printable(base::shortened(text, 40))),
                "give its number, or JOB:NUMBER, as alos log shows them");
  if (colon != std::string_view::npos)
    return RecordPlace{TRY(parse_job(text.substr(0, colon))), *seq};
  const auto jobs = TRY(session.kernel.jobs());
  if (jobs.empty()) return fail(Code::not_found, "the store has no records yet");
  return RecordPlace{jobs.back(), *seq};
}

Result<RecordView> record_at(Session& session, RecordPlace place) {
  const auto page = TRY(session.kernel.records(place.job, place.seq, 1));
  for (const auto& record : page)
    if (record.seq == place.seq) return record;
  return fail(Code::not_found, fmt::format("job {} has no record {}", place.job.value, place.seq),
              fmt::format("alos log {}.1 shows them; another job's: why JOB:SEQ", place.job.value));
}

std::vector<std::uint64_t> numbers_of(const RecordView& record, std::string_view field) {
  std::vector<std::uint64_t> out;
  const auto document = base::Document::parse(record.body, base::Source::outside);
  const auto list =
      document && document->root().is_object() ? document->root().field(field) : std::nullopt;
  for (std::size_t i = 0; list && i < list->size(); ++i)
    if (const auto number = list->at(i).unsigned_integer()) out.push_back(*number);
  return out;
}

// The request and its answer that a capability came from, when its origin names one.
Result<void> explain_request(Session& session, base::JobId job, std::string_view from) {
  const std::size_t at = from.find("request ");
  if (at == std::string_view::npos) return {};
  std::string_view id = from.substr(at + 8);
  id = id.substr(0, id.find(')'));
  const auto scoped = base::parse_job_scoped(id, 'r');
  if (!scoped) return {};
  const std::string number = fmt::format("{}", scoped->number);
  return each_record(session.kernel, job, 1, [&](const RecordView& record) {
    if ((record.kind != "request.opened" && record.kind != "request.answered") ||
        field_of(record, "request") != number)
      return true;
    session.output.out("      " + text_line(session.style, record));
    return record.kind != "request.answered";
  });
}

// A capability as it is explained: its place in the line of those it is derived from.
using HeldById = std::map<std::string, kernel::CapabilityView>;

Result<void> explain_capability(Session& session, base::JobId job, const HeldById& held,
                                std::string id) {
  constexpr std::size_t kLineMax = 64;
  for (std::size_t depth = 0; !id.empty() && depth < kLineMax; ++depth) {
    const auto found = held.find(id);
    if (found == held.end()) {
      session.output.out(fmt::format("      by {}\n", id));
      return {};
    }
    const kernel::CapabilityView& cap = found->second;
    const bool answers = cap.from.find("(request ") != std::string::npos;
    const std::string holder = cap.holder.empty() || depth == 0 ? "" : " of " + cap.holder;
    session.output.out(fmt::format("      {}{} {}{}  {}  granted by {} (record {})\n",
                                   std::string(2 * depth, ' '), depth == 0 ? "by" : "from",
                                   paint(session.style, Ink::bold, id), holder,
                                   paint(session.style, Ink::yellow, base::printable(cap.grant)),
                                   base::printable(cap.from), cap.seq));
    if (answers) TRY(explain_request(session, job, cap.from));
    id = cap.parent;
  }
  return {};
}

// Which capabilities a decision rests on, and what led to each, back to the manifest or a person.
Result<void> explain_authority(Session& session, const RecordView& record) {
  const auto matched = numbers_of(record, "matched");
  if (matched.empty() && record.kind == "authority.decided")
    session.output.out("      no capability of the process covers it\n");
  if (matched.empty()) return {};
  HeldById held;
  for (auto& cap : TRY(session.kernel.capabilities({record.pid.job, 0})))
    held.try_emplace(cap.id, std::move(cap));
  for (const std::uint64_t number : matched)
    TRY(explain_capability(session, record.pid.job, held,
                           base::to_string(record.pid.job, base::CapId{number})));
  return {};
}

// Of a chain of causes the steps that say something: the call the record belongs to, the turn that
// asked for it, and how the process began. What lies between is counted.
class Steps {
 public:
  explicit Steps(const RecordView& first) : call_(field_of(first, "call")) {}

  bool keep(const RecordView& record) {
    const std::string& kind = record.kind;
    if (kind == "process.spawned" || kind == "job.created" || kind == "process.resumed" ||
        kind == "process.killed")
      return true;
    if (kind == "request.opened" || kind == "request.answered") return true;
    if (kind == "turn.started") return !std::exchange(turn_, true);
    return !turn_ && kind != "tool.returned" && kind != "cap.granted" &&
           field_of(record, "call") == call_;
  }

 private:
  std::string call_;
  bool turn_ = false;
};

Result<void> follow(Session& session, base::JobId job, base::Seq from,
                    const std::function<void(const RecordView&)>& visit) {
  const auto subscription = session.kernel.subscribe(job);
  const auto show_new = [&] {
    return each_record(session.kernel, job, from, [&](const RecordView& record) {
      visit(record);
      from = record.seq + 1;
      return true;
    });
  };
  while (!session.output.gone()) {
    TRY(show_new());
    session.output.flush();
    if (subscription == nullptr || session.place == Session::Place::here)
      std::this_thread::sleep_for(kPollEvery);
    else
      (void)subscription->next(kPollEvery);
  }
  // The owner may be ending: what became durable since the last look belongs to what was asked for.
  TRY(show_new());
  session.output.flush();
  return {};
}

std::string findings_json(const kernel::AuditReport& report, std::string_view type) {
  std::string body = fmt::format(R"({{"jobs":{},"records":{},"ok":{},"findings":[)", report.jobs,
                                 report.records, report.findings.empty());
  for (std::size_t i = 0; i < report.findings.size(); ++i) {
    if (i != 0) body += ',';
    base::append_json_string(body, report.findings[i].what);
  }
  return typed(type, body + "]}");
}

int print_report(Session& session, const kernel::AuditReport& report, std::string_view type,
                 std::string_view good) {
  if (session.style.json()) {
    session.output.out(findings_json(report, type));
  } else {
    for (const auto& finding : report.findings)
      session.output.out(paint(session.style, Ink::red, "✗ ") + base::printable(finding.what) +
                         '\n');
    const std::string size =
        fmt::format("{} record{} of {} job{}", report.records, report.records == 1 ? "" : "s",
                    report.jobs, report.jobs == 1 ? "" : "s");
    if (report.findings.empty())
      session.output.out(
          fmt::format("{} {}: {}\n", paint(session.style, Ink::green, "✓"), size, good));
    else
      session.output.out(fmt::format("{}: {} finding{}\n", size, report.findings.size(),
                                     report.findings.size() == 1 ? "" : "s"));
  }
  return report.findings.empty() ? 0 : static_cast<int>(Code::corrupt);
}

}  // namespace

Result<int> log(Session& session, const Arguments& arguments) {
  const base::Pid pid = TRY(base::parse_pid(arguments.words[0]));
  TRY(session.kernel.process(pid));
  base::Seq from = 1;
  if (const auto text = arguments.one("from")) {
    const auto number = base::parse_unsigned(*text);
    if (!number)
      return fail(Code::invalid,
                  fmt::format("--from {}: not a record's number", base::printable(*text)));
    from = *number;
  }
  const bool whole_job = arguments.has("job");
  const auto visit = [&](const RecordView& record) {
    if (whole_job || record.pid == pid) print(session, record);
  };
  if (arguments.has("follow")) {
    TRY(follow(session, pid.job, from, visit));
    return 0;
  }
  TRY(each_record(session.kernel, pid.job, from,
                  [&](const RecordView& record) { return visit(record), !session.output.gone(); }));
  return 0;
}

Result<int> why(Session& session, const Arguments& arguments) {
  RecordPlace place = TRY(parse_place(session, arguments.words[0]));
  RecordView record = TRY(record_at(session, place));
  const bool full = session.style.json() || arguments.has("full");
  Steps kept(record);
  std::size_t between = 0;
  for (std::size_t steps = 0; steps < kCausesMax; ++steps) {
    const bool shown = steps == 0 || full || record.cause == 0 || kept.keep(record);
    if (!shown) ++between;
    if (shown && between > 0)
      session.output.out(paint(session.style, Ink::dim,
                               fmt::format("       … {} between\n", std::exchange(between, 0))));
    if (shown) print(session, record);
    if (shown && !session.style.json() &&
        (record.kind == "authority.decided" || record.kind == "call.intended"))
      TRY(explain_authority(session, record));
    if (record.cause == 0 || record.cause >= record.seq) break;
    place.seq = record.cause;
    record = TRY(record_at(session, place));
  }
  return 0;
}

Result<int> audit_verify(Session& session, const Arguments& arguments) {
  std::optional<base::JobId> job;
  if (!arguments.words.empty()) job = TRY(chosen_jobs(session, arguments)).front();
  return print_report(session, TRY(session.kernel.verify(job)), "audit",
                      "every hash and every state is as it was written");
}

Result<int> audit_export(Session& session, const Arguments& arguments) {
  for (const base::JobId job : TRY(chosen_jobs(session, arguments)))
    TRY(each_record(session.kernel, job, 1, [&](const RecordView& record) {
      session.output.out(session.style.json()
                             ? fmt::format(R"({{"type":"line","hash":"{}","record":{}}})"
                                           "\n",
                                           base::to_hex(record.hash), record.line)
                             : record.line + '\n');
      return !session.output.gone();
    }));
  return 0;
}

Result<int> audit_log(Session& session, const Arguments& arguments) {
  static constexpr std::string_view kDecisions[] = {
      "authority.decided", "cap.granted",      "cap.revoked", "request.opened",
      "request.voted",     "request.answered", "budget.set",  "process.killed"};
  for (const base::JobId job : TRY(chosen_jobs(session, arguments)))
    TRY(each_record(session.kernel, job, 1, [&](const RecordView& record) {
      if (std::find(std::begin(kDecisions), std::end(kDecisions), record.kind) !=
          std::end(kDecisions))
        print(session, record);
      return !session.output.gone();
    }));
  return 0;
}

Result<int> store_check(Session& session, const Arguments&) {
  return print_report(session, TRY(session.kernel.check()), "check",
                      "journal, payloads, snapshots and tables are as they were written");
}

}  // namespace alos::surface
