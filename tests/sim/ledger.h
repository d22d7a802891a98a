// Ledger: the durable records read a second time, independently of how the kernel and core::apply
// read them.
//
// It is told of every commit at the moment it is durable, keeps what the laws speak of
// (capabilities and their uses, intents and their outcomes, requests, calls, budgets), and
// complains of every record that breaks one.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/record.h"
#include "sim/reference.h"
#include "sim/world.h"
#include "store/store.h"

namespace alos::sim {

struct IntentFact {
  core::CallIntended body;
  base::Seq seq = 0;
  base::Time at;
  std::uint32_t process = 0;
  unsigned life = 0;
  std::optional<core::OutcomeKind> outcome;
};

struct CallFact {
  std::string tool;
  std::optional<std::string> request;
  std::string arguments;
  unsigned life = 0;
  bool returned = false;
};

struct ProcessFact {
  bool untold = false;  // its model gave no reply, and it has not heard so yet
  core::Budget budget;
  std::string state = "runnable";
  std::string reason;
  std::string name;
  std::uint32_t parent = 0;
  std::uint64_t tool_calls = 0;
  std::uint64_t model_calls = 0;
  std::uint64_t returned = 0;
  std::pair<std::uint64_t, std::uint64_t> spent_at;  // tool and model calls, at and below
  std::vector<abi::ToolRequest> reply;               // the last one's requests
  std::set<std::string> called;                      // of them
  std::set<std::string> answered;
  std::uint64_t sent = 0;
  std::set<std::pair<std::string, std::uint64_t>> mailbox;
  std::map<std::string, std::uint64_t> heard;
  std::map<std::uint64_t, CallFact> calls;  // by call id; turns too, without a tool
  bool ended() const { return state == "exited" || state == "failed" || state == "killed"; }
};

// The last durable word on what a file holds.
struct FileFact {
  std::string key;                     // of the intent that last meant to change it
  std::optional<std::string> content;  // as a write_file that was answered `ok` wrote it
  std::set<base::JobId> writers;
};

struct JobFact {
  base::Seq seq = 0;
  base::Digest head;
  base::Time at;
  std::uint64_t epoch = 0;
  std::vector<std::string> trapdoors;
  std::vector<core::Capability> caps;         // uses_left kept here
  std::map<std::string, IntentFact> intents;  // by key
  std::map<std::uint64_t, core::RequestOpened> requests;
  std::map<std::uint64_t, std::uint32_t> askers;  // which process
  std::map<std::uint64_t, core::AnswerKind> answers;
  std::set<std::pair<std::uint64_t, std::string>> votes;
  std::map<std::uint64_t, unsigned> waiting;  // call * 1000 + n of sleeps -> life
  std::map<std::uint32_t, ProcessFact> processes;
  std::map<std::pair<std::uint32_t, std::uint64_t>, core::MessageSent> outgoing;  // to other jobs
};

std::string key_of(base::Pid pid, base::CallId call, std::uint32_t n);

class Ledger {
 public:
  explicit Ledger(World& world) : world_(world) {}

  // A commit has become durable. `blob` finds the bytes of any blob that is durable now.
  void take(const store::Commit& commit, const base::LoadBlob& blob);

  const std::map<base::JobId, JobFact>& jobs() const { return jobs_; }
  const JobFact* job(base::JobId id) const;
  const IntentFact* intent(const std::string& key) const;
  const std::map<std::string, FileFact>& files() const { return files_; }
  std::uint64_t lines() const { return lines_; }

  Verdict decide(base::Pid pid, const core::NeedText& need, const base::Digest& call,
                 base::Time now) const;

 private:
  void take_record(const core::Record& record);
  void take_row(const store::ProcessRow& row);
  void take_row(const store::RequestRow& row);

  void on(const core::JobCreated& body);
  void on(const core::JobOpened& body);
  void on(const core::ProcessSpawned& body);
  void on(const core::CapGranted& body);
  void on(const core::CapRevoked& body);
  void on(const core::CallIntended& body);
  void on(const core::CallSettled& body);
  void on(const core::CallObserved& body);
  void on(const core::CallWaiting& body);
  void on(const core::TurnStarted& body);
  void on(const core::TurnFailed& body);
  void on(const core::ToolCalled& body);
  void on(const core::ToolReturned& body);
  void on(const core::RequestOpened& body);
  void on(const core::RequestAnswered& body);
  void on(const core::ObjectPut& body);
  void on(const core::HumanTold& body);
  void on(const core::ProcessMoved& body);
  void on(const core::ProcessPaused& body);
  void on(const core::ProcessResumed& body);
  void on(const core::ProcessExited& body);
  void on(const core::ProcessFailed& body);
  void on(const core::ProcessKilled& body);
  void on(const core::MessageSent& body);
  void on(const core::MessageReceived& body);
  void on(const core::MessageDelivered& body);
  void on(const core::MessageTaken& body);
  void on(const core::RequestVoted& body);
  void on(const core::BudgetSet& body);
  template <typename Body>
  void on(const Body&) {}

  // What is spent at and below a process is never more than it may spend.
  void check_budgets();

  void end(std::string state, std::string reason);
  void note_reply(const core::CallSettled& body);
  void note_write(const CallFact& call, std::uint64_t id);
  void must_be_allowed(const std::string& resource, abi::Right right);
  void check_error(const std::optional<base::Error>& error);
  ProcessFact& process() { return job_->processes[record_->process]; }
  std::string here() const;
  void broken(std::string_view what);

  World& world_;
  std::map<base::JobId, JobFact> jobs_;
  std::map<std::string, FileFact> files_;
  std::uint64_t lines_ = 0;
  JobFact* job_ = nullptr;  // while a record is taken
  const core::Record* record_ = nullptr;
  const base::LoadBlob* blob_ = nullptr;
};

}  // namespace alos::sim
