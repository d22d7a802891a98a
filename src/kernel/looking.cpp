#include "kernel/looking.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "base/text.h"
#include "core/budget.h"
#include "core/decide.h"
#include "kernel/project.h"

namespace alos::kernel {
namespace {

using base::Code;
using base::fail;
using base::Result;

constexpr std::size_t kPageRows = 1000;
constexpr std::uint64_t kReadLines = 4096;
constexpr auto kPollInterval = std::chrono::milliseconds(50);

store::Which to_store(Kernel::Which which) {
  return which == Kernel::Which::live ? store::Which::live : store::Which::all;
}

base::Unexpected no_process(base::Pid pid) {
  return fail(Code::not_found, fmt::format("there is no process {}", base::to_string(pid)),
              "`alos ps --all` lists those there are");
}

std::string cap_state(const core::JobState& state, const core::Capability& cap, base::Time now) {
  if (cap.revoked) return "revoked";
  if (core::uses_left(state, cap) == 0U) return "used up";
  if (cap.grant.until && *cap.grant.until <= now) return "expired";
  return core::is_live(state, cap, now) ? "live" : "void";  // what it is derived from is over
}

base::Time system_now() {
  return {std::chrono::duration_cast<std::chrono::microseconds>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

// Two names for one file would let a grant of one reach past a deny of the other.
Result<void> check_roots(const Launch& launch) {
  for (const abi::Root& one : launch.roots)
    for (const abi::Root& other : launch.roots)
      if (&one != &other && (other.host + "/").starts_with(one.host == "/" ? "/" : one.host + "/"))
        return fail(Code::invalid,
                    fmt::format("root {} ({}) lies in root {} ({})", other.name,
                                base::printable(other.host), one.name, base::printable(one.host)),
                    "a file has one name: leave one of them out");
  return {};
}

// A person, or what one is.
bool is_known(const Launch& launch, const std::string& name) {
  return name == launch.owner || name == "owner" ||
         std::any_of(launch.people.begin(), launch.people.end(), [&](const Person& one) {
           return one.name == name ||
                  std::find(one.roles.begin(), one.roles.end(), name) != one.roles.end();
         });
}

// A grant that can never apply is a mistake, and a deny with a mistake in it protects nothing.
Result<void> check_grants(const Launch& launch) {
  for (const abi::Grant& grant : launch.grants) {
    if (grant.until && *grant.until <= system_now())
      return fail(Code::invalid, fmt::format("grant `{}`: its time is over", grant.to_text()));
    for (const std::string& name : grant.asking.of)
      if (!is_known(launch, name))
        return fail(Code::invalid,
                    fmt::format("grant `{}`: there is nobody `{}` to ask", grant.to_text(), name),
                    "name people and their roles in the manifest: people: {ada: [reviewer]}");
    std::string_view body = grant.resource.text();
    if (!body.starts_with("fs:/")) continue;
    body.remove_prefix(4);
    const std::string_view root = body.substr(0, body.find('/'));
    const bool known = root == "*" || root == "**" || root.empty() ||
                       std::any_of(launch.roots.begin(), launch.roots.end(),
                                   [&](const abi::Root& one) { return one.name == root; });
    if (!known)
      return fail(Code::invalid,
                  fmt::format("grant `{}`: there is no root /{}", grant.to_text(), root),
                  "roots are given by `roots:` or --root NAME=DIR");
  }
  return {};
}

// A trapdoor as resources are written.
Result<std::string> canonical_trapdoor(std::string_view text) {
  const bool alone = text.ends_with('$');
  const auto path =
      base::Path::parse("/" + std::string(text.substr(0, text.size() - (alone ? 1 : 0))));
  if (!path || path->is_top() || text.starts_with('/') || text.ends_with('/'))
    return fail(Code::invalid, fmt::format("`{}` is not a trapdoor", base::printable(text)),
                "name whole segments without a slash at either end, as in .git/hooks; a last `$` "
                "means the place alone");
  return abi::Resource::file(*path).text().substr(std::string_view("fs:/").size()) +
         (alone ? "$" : "");
}

}  // namespace

Result<core::JobState> load_job(store::Store& store, base::JobId job) {
  const auto row = TRY(store.job(job));
  if (!row)
    return fail(Code::not_found, fmt::format("there is no job {}", job.value),
                "`alos ps --all` lists those there are");
  core::JobState state;
  // A snapshot only saves time: one that cannot be read is as good as none.
  if (const auto snapshot = store.snapshot(job); snapshot && *snapshot) {
    auto saved = core::decode_state((*snapshot)->state);
    if (saved && saved->seq == (*snapshot)->seq && saved->head == (*snapshot)->head)
      state = std::move(*saved);
  }
  while (state.seq < row->last) {
    const auto segments = TRY(store.read(job, state.seq + 1, kReadLines));
    if (segments.empty())
      return fail(Code::corrupt,
                  fmt::format("job {} ends at record {} of {}", job.value, state.seq, row->last),
                  "`alos store check` says more");
    for (const store::Segment& segment : segments) {
      std::string_view lines = segment.lines;
      for (base::Seq seq = segment.first; seq <= state.seq; ++seq)
        lines.remove_prefix(std::min(lines.find('\n') + 1, lines.size()));
      TRY(core::fold(state, lines));
    }
  }
  if (state.head != row->head)
    return fail(Code::corrupt,
                fmt::format("the chain of job {} does not end where the store says", job.value),
                "`alos audit verify` says more");
  return state;
}

Result<std::vector<RecordView>> views_of(std::string_view lines, base::Digest before,
                                         const base::LoadBlob& load) {
  std::vector<RecordView> views;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    if (end == std::string_view::npos) return fail(Code::corrupt, "a run of records is cut off");
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(end + 1);
    const core::Record record = TRY(core::parse_record(line));
    before = core::chain(before, line);
    constexpr std::string_view kBody = ",\"body\":";
    const std::string_view body = line.substr(line.find(kBody) + kBody.size());
    std::string whole = TRY(base::with_payloads(body.substr(0, body.size() - 1), load));
    views.push_back({record.pid(), record.seq, record.cause, record.at,
                     std::string(core::kind_of(record)), std::move(whole), std::string(line),
                     before});
  }
  return views;
}

base::Unexpected Looking::not_owner() {
  return fail(Code::conflict, "this store is open for looking only", "open it as its owner to act");
}

base::LoadBlob Looking::loader() const {
  return [this](const base::Digest& digest) { return store_->blob(digest); };
}

Result<std::vector<ProcessView>> Looking::processes(Which which) {
  std::vector<ProcessView> views;
  base::Pid after;
  while (true) {
    const auto rows = TRY(store_->processes(to_store(which), after, kPageRows));
    for (const store::ProcessRow& row : rows)
      views.push_back(TRY(base::from_json<ProcessView>(row.detail, base::Source::outside)));
    if (rows.size() < kPageRows) return views;
    after = rows.back().pid;
  }
}

Result<ProcessView> Looking::process(base::Pid pid) {
  const base::Pid before{pid.number == 1 ? base::JobId{pid.job.value - 1} : pid.job,
                         pid.number == 1 ? UINT32_MAX : pid.number - 1};
  const auto rows = TRY(store_->processes(store::Which::all, before, 1));
  if (rows.empty() || rows.front().pid != pid) return no_process(pid);
  return base::from_json<ProcessView>(rows.front().detail, base::Source::outside);
}

Result<std::vector<RequestView>> Looking::requests(Which which) {
  std::vector<RequestView> views;
  while (true) {
    auto page = TRY(request_page(which, views.empty() ? "" : views.back().id, kPageRows));
    const bool last = page.size() < kPageRows;
    std::move(page.begin(), page.end(), std::back_inserter(views));
    if (last) return views;
  }
}

Result<RequestView> Looking::view_of_row(const store::RequestRow& row) const {
  auto view = TRY(base::from_json<RequestView>(row.detail, base::Source::outside));
  // A call is an object of named fields: this is a reference to one.
  if (!view.arguments.starts_with(R"({"$text":)")) return view;
  const auto kept = TRY(base::from_json<base::Text>(view.arguments, base::Source::journal));
  if (kept.blob) view.arguments = TRY(store_->blob(kept.blob->digest));
  return view;
}

Result<RequestView> Looking::request(const std::string& id) {
  const base::JobScoped wanted = TRY(base::parse_job_scoped(id, 'r'));
  const base::RequestId before{wanted.number - std::min<std::uint64_t>(wanted.number, 1)};
  for (const auto& row : TRY(store_->requests(store::Which::all, wanted.job, before, 1)))
    if (row.job == wanted.job && row.request.value == wanted.number) return view_of_row(row);
  return fail(Code::not_found, fmt::format("no request {}", id),
              "alos approvals lists what waits for an answer");
}

Result<std::vector<RequestView>> Looking::request_page(Which which, const std::string& after,
                                                       std::size_t limit) {
  base::JobScoped from;
  if (!after.empty()) from = TRY(base::parse_job_scoped(after, 'r'));
  std::vector<RequestView> views;
  for (const store::RequestRow& row :
       TRY(store_->requests(to_store(which), from.job, base::RequestId{from.number}, limit)))
    views.push_back(TRY(view_of_row(row)));
  return views;
}

Result<std::vector<CapabilityView>> Looking::capabilities(base::Pid pid) {
  const core::JobState state = TRY(state_of(pid.job));
  if (pid.number != 0 && state.process(pid.number) == nullptr) return no_process(pid);
  std::vector<CapabilityView> views;
  for (const core::Capability& cap : state.caps)
    if (pid.number == 0 || cap.holder == pid.number || cap.holder == core::kStanding)
      views.push_back(
          {base::to_string(pid.job, cap.id), cap.grant.to_text(), cap.from,
           core::uses_left(state, cap), cap_state(state, cap, system_now()),
           cap.bound_call.has_value(), cap.seq,
           cap.holder == core::kStanding ? "" : base::to_string(base::Pid{pid.job, cap.holder}),
           cap.parent ? base::to_string(pid.job, *cap.parent) : ""});
  return views;
}

Result<std::vector<BudgetView>> Looking::budget(base::Pid pid) {
  const core::JobState state = TRY(state_of(pid.job));
  const core::Process* process = state.process(pid.number);
  if (process == nullptr) return no_process(pid);
  std::vector<BudgetView> views;
  for (std::size_t i = 0; i < abi::kAmounts; ++i) {
    const auto kind = static_cast<abi::BudgetKind>(i);
    if (const auto pool = core::pool_of(state, pid.number, kind))
      views.push_back({kind, pool->limit, pool->used(), pool->reserved,
                       base::to_string(base::Pid{pid.job, pool->process})});
    else if (process->committed[i] != 0)
      views.push_back(
          {kind, {}, process->committed[i] - process->reserved[i], process->reserved[i], ""});
  }
  for (const core::Process* one = process; one != nullptr; one = state.process(one->parent))
    if (one->budget.wall_ms)
      views.push_back({abi::BudgetKind::wall, one->budget.wall_ms,
                       static_cast<std::uint64_t>((system_now() - one->started).count() / 1000), 0,
                       base::to_string(base::Pid{pid.job, one->number})});
  return views;
}

Result<std::vector<RecordView>> Looking::records(base::JobId job, base::Seq from,
                                                 std::size_t limit) {
  if (job.value > INT64_MAX || from > INT64_MAX || !TRY(store_->job(job)))
    return fail(Code::not_found, fmt::format("there is no job {}", job.value),
                "`alos ps --all` lists those there are");
  std::vector<RecordView> out;
  for (const store::Segment& segment : TRY(store_->read(job, std::max<base::Seq>(from, 1), limit)))
    for (RecordView& view : TRY(views_of(segment.lines, segment.before, loader())))
      if (view.seq >= from && out.size() < limit) out.push_back(std::move(view));
  return out;
}

Result<std::vector<abi::Message>> Looking::transcript(base::Pid pid) {
  const core::JobState state = TRY(state_of(pid.job));
  const core::Process* process = state.process(pid.number);
  if (process == nullptr) return no_process(pid);
  std::vector<abi::Message> messages = process->transcript.to_items();
  Result<void> loaded;
  for (abi::Message& message : messages)
    base::for_each_payload(message, [&](auto& payload) {
      if (!payload.blob || !loaded) return;
      auto bytes = store_->blob(payload.blob->digest);
      if (!bytes)
        loaded = base::Unexpected(bytes.error());
      else
        payload.data = std::move(*bytes), payload.blob.reset();
    });
  TRY(std::move(loaded));
  return messages;
}

Result<std::vector<base::JobId>> Looking::jobs() {
  std::vector<base::JobId> out;
  for (const store::JobRow& row : TRY(store_->jobs())) out.push_back(row.job);
  return out;
}

std::vector<abi::Grant> base_grants(base::JobId job, const Launch& launch) {
  const std::string own = base::to_string(base::Pid{job, 1});
  std::vector<abi::Grant> out;
  const auto add = [&](abi::Rights rights, const std::string& pattern, abi::Delegation delegation) {
    auto parsed = abi::Pattern::from_text(pattern);
    CHECK(parsed.has_value());
    abi::Grant grant;
    grant.rights = rights;
    grant.resource = std::move(*parsed);
    grant.delegation = delegation;
    out.push_back(std::move(grant));
  };
  using abi::Delegation;
  using abi::Right;
  add({Right::read, Right::write, Right::list}, "object:" + own + "/**", Delegation::also);
  add({Right::read}, "clock:now", Delegation::also);
  add({Right::execute}, "clock:sleep", Delegation::also);
  add({Right::read, Right::write}, abi::Resource::human(launch.owner).text(), Delegation::none);
  add({Right::execute}, "image:*", Delegation::also);
  if (!launch.model.empty())
    add({Right::execute}, abi::Resource::model(launch.model).text(), Delegation::also);
  return out;
}

Result<Plan> Looking::plan(const Launch& launch) {
  TRY(check_roots(launch));
  TRY(check_grants(launch));
  const auto image = std::find_if(images_.begin(), images_.end(),
                                  [&](const abi::Image& one) { return one.name == launch.image; });
  if (image == images_.end() && (!launch.prompt || !launch.tools)) {
    std::vector<std::string_view> names;
    for (const abi::Image& one : images_) names.push_back(one.name);
    return fail(Code::not_found,
                fmt::format("there is no image `{}`", base::printable(launch.image)),
                fmt::format("images: {}", fmt::join(names, ", ")));
  }
  Plan plan;
  if (image != images_.end()) plan.image = *image;
  plan.image.name = launch.image;
  if (launch.prompt) plan.image.prompt = *launch.prompt;
  if (launch.tools) plan.image.tools = *launch.tools;
  const base::JobId next{TRY(store_->jobs()).empty() ? 1
                                                     : TRY(store_->jobs()).back().job.value + 1};
  if (launch.base == Launch::Base::grants)
    for (abi::Grant& grant : base_grants(next, launch))
      plan.grants.push_back({std::move(grant), "base"});
  for (const abi::Grant& grant : launch.grants) plan.grants.push_back({grant, "manifest"});
  plan.trapdoors = core::builtin_trapdoors();
  for (const std::string& trapdoor : launch.trapdoors)
    plan.trapdoors.push_back(TRY(canonical_trapdoor(trapdoor)));
  for (const auto* needs : {&std::as_const(plan.image.needs), &launch.needs})
    for (const std::string& need : *needs) {
      const abi::Grant wanted = TRY(abi::Grant::from_text(need));
      const bool known = std::any_of(plan.needs.begin(), plan.needs.end(),
                                     [&](const NeedView& one) { return one.need == need; });
      if (known) continue;
      plan.needs.push_back(view_of_need(wanted, need, plan, launch.standing));
      if (plan.needs.back().state == "unmet") plan.unmet.push_back(plan.needs.back().missing);
    }
  return plan;
}

// ---- verifying ----

struct Looking::Walk {
  AuditReport report;
  std::function<void(const core::JobState&)> at_each;  // after every record; may be empty
  core::JobState state;

  void find(std::string what) { report.findings.push_back({std::move(what)}); }
};

// Folds a whole journal from its first record and compares what the store says of it.
Result<void> Looking::walk(const store::JobRow& row, Walk& walk) {
  core::JobState& state = walk.state = {};
  ++walk.report.jobs;
  while (state.seq < row.last) {
    const auto segments = store_->read(row.job, state.seq + 1, kReadLines);
    if (!segments) return walk.find(segments.error().what), Result<void>{};
    if (segments->empty())
      return walk.find(fmt::format("job {}: records {} to {} are missing", row.job.value,
                                   state.seq + 1, row.last)),
             Result<void>{};
    for (const store::Segment& segment : *segments) {
      for (std::string_view lines = segment.lines; !lines.empty();) {
        const std::string_view line = lines.substr(0, lines.find('\n') + 1);
        if (line.empty())
          return walk.find(fmt::format("job {}: the record after {} is cut off", row.job.value,
                                       state.seq)),
                 Result<void>{};
        lines.remove_prefix(line.size());
        if (const auto ok = core::fold(state, line); !ok)
          return walk.find(fmt::format("job {}, after record {}: {}", row.job.value, state.seq,
                                       ok.error().what)),
                 Result<void>{};
        ++walk.report.records;
        if (walk.at_each) walk.at_each(state);
      }
      if (state.head != segment.head)
        walk.find(fmt::format("job {}: the chain is broken between records {} and {}",
                              row.job.value, segment.first, state.seq));
    }
  }
  if (state.head != row.head)
    walk.find(fmt::format("job {}: the journal does not end in the head that the store holds",
                          row.job.value));
  return {};
}

Result<AuditReport> Looking::verify(std::optional<base::JobId> job) {
  Walk walk;
  for (const store::JobRow& row : TRY(store_->jobs()))
    if (!job || row.job == *job) TRY(this->walk(row, walk));
  if (job && walk.report.jobs == 0)
    return fail(Code::not_found, fmt::format("there is no job {}", job->value),
                "`alos ps --all` lists those there are");
  return walk.report;
}

Result<AuditReport> Looking::check() {
  Walk walk;
  for (store::Finding& finding : TRY(store_->check())) walk.find(std::move(finding.what));
  for (const store::JobRow& row : TRY(store_->jobs())) {
    const auto snapshot = store_->snapshot(row.job);
    if (!snapshot) walk.find(snapshot.error().what);
    walk.at_each = [&](const core::JobState& state) {
      if (snapshot && *snapshot && state.seq == (*snapshot)->seq &&
          core::encode_state(state) != (*snapshot)->state)
        walk.find(
            fmt::format("job {}: its snapshot is not the fold of its journal", row.job.value));
    };
    TRY(this->walk(row, walk));
    for (const core::Process& process : walk.state.processes) {
      const auto view = this->process({row.job, process.number});
      if (!view || view->state != view_of(walk.state, process).state)
        walk.find(
            fmt::format("process {}.{}: its list entry is not what the journal says; `alos store "
                        "rebuild` mends it",
                        row.job.value, process.number));
    }
  }
  return walk.report;
}

// ---- watching a store that is owned elsewhere ----

namespace {

class PollingSubscription : public Subscription {
 public:
  PollingSubscription(std::shared_ptr<store::Store> store, std::optional<base::JobId> job)
      : store_(std::move(store)), job_(job) {
    (void)take();
  }

  std::vector<RecordView> next(std::chrono::milliseconds patience) override {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (true) {
      auto views = take();
      if (!views.empty() || std::chrono::steady_clock::now() >= deadline) return views;
      std::this_thread::sleep_for(
          std::min<std::chrono::steady_clock::duration>(kPollInterval, patience));
    }
  }

 private:
  // What is there beyond what was given out; the first time only remembers where the journals end.
  std::vector<RecordView> take() {
    std::vector<RecordView> out;
    const auto rows = store_->jobs();
    for (const store::JobRow& row : rows ? *rows : std::vector<store::JobRow>{}) {
      if (job_ && row.job != *job_) continue;
      auto [seen, fresh] = seen_.try_emplace(row.job, started_ ? 0 : row.last);
      if (seen->second >= row.last) continue;
      const auto segments = store_->read(row.job, seen->second + 1, row.last - seen->second);
      for (const store::Segment& segment : segments ? *segments : std::vector<store::Segment>{}) {
        auto views = views_of(segment.lines, segment.before,
                              [this](const base::Digest& digest) { return store_->blob(digest); });
        if (!views) break;
        for (RecordView& view : *views)
          if (view.seq > seen->second) seen->second = view.seq, out.push_back(std::move(view));
      }
    }
    started_ = true;
    return out;
  }

  std::shared_ptr<store::Store> store_;
  std::optional<base::JobId> job_;
  std::map<base::JobId, base::Seq> seen_;
  bool started_ = false;
};

}  // namespace

std::unique_ptr<Subscription> Looking::subscribe(std::optional<base::JobId> job) {
  return std::make_unique<PollingSubscription>(store_, job);
}

Result<ProcessView> Looking::wait(base::Pid pid, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (true) {
    ProcessView view = TRY(process(pid));
    if (view.ended() || view.state == "paused" || std::chrono::steady_clock::now() >= deadline)
      return view;
    std::this_thread::sleep_for(kPollInterval);
  }
}

}  // namespace alos::kernel
