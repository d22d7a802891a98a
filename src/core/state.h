// State: what a job is, as its records say. Plain values; only apply() changes them.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/record.h"

namespace alos::core {

// The holder of standing answers.
inline constexpr std::uint32_t kStanding = 0;

ALOS_ENUM(Stage, waiting, intended, settled, edited)

// One numbered syscall of a durable call.
struct Syscall {
  std::uint32_t n = 0;
  std::string name;
  base::Digest digest;
  Stage stage = Stage::settled;
  base::Seq seq = 0;                       // of the record that brought it to this stage
  std::optional<base::RawJson> reply;      // settled and done
  std::optional<base::Error> error;        // settled otherwise
  std::optional<OutcomeKind> outcome;      // settled, of an intent
  std::optional<abi::EffectClass> effect;  // of an intent
  std::vector<base::CapId> matched;        // of an intent: what allowed it
  std::vector<base::CapId> spends;         // of an intent
  std::vector<NeedText> needs;             // of an intent: the places that were decided
  std::optional<bool> existed;
  std::optional<base::Digest> preimage;
  std::optional<base::Time> until;         // waiting
  std::optional<base::RequestId> request;  // waiting, or refused
  std::optional<std::uint32_t> child;      // waiting for its end
  std::optional<base::Text> replacement;   // what a person made of the call: it is done instead
  std::optional<std::string> edited_by;
  Usage reserves;                           // intended: what it may spend at most
  std::optional<abi::LetterFilter> letter;  // waiting for such a message
  std::vector<std::uint32_t> any;           // waiting for the end of one of these
  ALOS_FIELDS(n, name, digest, stage, seq, reply, error, outcome, effect, matched, spends, needs,
              existed, preimage, until, request, child, replacement, edited_by, reserves, letter,
              any)
  static constexpr std::size_t kAddedFrom = 19;
};

ALOS_ENUM(FrameKind, turn, tool, outside)

// An open durable call: a tool call, a turn, or a tool call from outside the model.
struct Frame {
  base::CallId call;
  FrameKind kind = FrameKind::tool;
  std::string tool;
  std::string request;            // the model's id
  base::Path cwd;                 // when it was called
  base::Seq seq = 0;              // of the record that opened it
  std::vector<Syscall> syscalls;  // by n
  std::optional<base::Text> arguments;
  ALOS_FIELDS(call, kind, tool, request, cwd, seq, syscalls, arguments)

  const Syscall* find(std::uint32_t n) const;
  Syscall* find(std::uint32_t n);
  const Syscall* pending() const;  // the last one, when it is not settled
};

// By abi::BudgetKind, of those that add up.
using Amounts = std::array<std::uint64_t, abi::kAmounts>;

struct Process {
  std::uint32_t number = 0;
  std::uint32_t parent = 0;
  std::string name;
  std::string image;
  std::string model;
  base::Text prompt;
  base::Text goal;
  std::vector<std::string> tools;
  base::Path cwd;
  Budget budget;
  Price price;
  Usage usage;
  base::Time started;
  abi::ProcessState state = abi::ProcessState::created;  // `runnable` also while it waits or runs
  std::string reason;                                    // paused, failed, killed: why
  std::optional<base::Error> error;                      // failed
  std::optional<base::Text> result;                      // exiting, exited
  bool exiting = false;
  abi::Transcript transcript;
  std::uint32_t turns = 0;  // model replies
  std::uint64_t next_call = 1;
  std::vector<Frame> frames;                   // open durable calls
  std::vector<std::string> answered;           // tool requests of the last reply that have returned
  base::Seq last_seq = 0;                      // of the last record about it
  std::vector<abi::BudgetKind> warned;         // budget.warned was said of these limits
  std::optional<base::RequestId> asks;         // waits until it is answered whether there is more
  std::uint64_t sent = 0;                      // messages
  std::vector<abi::Letter> mailbox;            // not taken yet, oldest first
  std::map<std::string, std::uint64_t> heard;  // the last number of each sender of another job
  ALOS_FIELDS(number, parent, name, image, model, prompt, goal, tools, cwd, budget, price, usage,
              started, state, reason, error, result, exiting, transcript, turns, next_call, frames,
              answered, last_seq, warned, asks, sent, mailbox, heard)
  static constexpr std::size_t kAddedFrom = 24;

  std::vector<std::uint32_t> children;  // derived, never stored

  // Of itself and all below it; derived, never stored (budget.h).
  Amounts committed{};
  Amounts reserved{};

  bool live() const { return !abi::is_terminal(state); }
  const Frame* frame(base::CallId call) const;
  Frame* frame(base::CallId call);
  const Frame* frame_of_request(std::string_view request) const;
  const Frame* turn_frame() const;
};

struct Request {
  RequestOpened opened;
  std::uint32_t process = 0;
  base::CallId call;
  std::uint32_t n = 0;
  base::Time at;
  base::Seq seq = 0;
  std::optional<RequestAnswered> answered;
  std::vector<RequestVoted> votes;
  ALOS_FIELDS(opened, process, call, n, at, seq, answered, votes)
  static constexpr std::size_t kAddedFrom = 7;
};

struct Object {
  std::string type;
  std::uint64_t version = 0;
  base::Json value;
  ALOS_FIELDS(type, version, value)
};

// Finds the capabilities that could cover a resource: by holder and literal prefix. Derived, never
// stored. A hash table with open addressing; those of one prefix hang together by `next_`.
class CapabilityIndex {
 public:
  void add(const Capability& cap);
  void remove(const Capability& cap);

  // Calls `visit(CapId)` for every capability of `holder` whose literal prefix begins the resource
  // (and, rarely, for another's: the hash is not the prefix).
  template <typename Visit>
  void candidates(std::uint32_t holder, std::string_view resource, Visit&& visit) const;

  // All that were ever granted to a holder, oldest first.
  std::span<const base::CapId> of(std::uint32_t holder) const {
    if (holder >= held_.size()) return {};
    return held_[holder];
  }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::uint64_t first = 0;  // capability id; 0: none (any more)
    bool used = false;        // once; lookups go on past it
  };

  // Hashes the text in runs that end before each slash and after the scheme's colon, so that every
  // place where a literal prefix can end has a hash of its own. `at_end(hash)` is called at each.
  template <typename AtEnd>
  static std::uint64_t hash_runs(std::uint32_t holder, std::string_view text, AtEnd&& at_end);
  static std::uint64_t mix(std::uint64_t hash, std::string_view run);
  Slot& slot_of(std::uint64_t hash);
  void grow();

  std::vector<Slot> slots_;  // a power of two of them, at most half used
  std::size_t used_ = 0;
  std::vector<std::uint64_t> next_;             // by capability id
  std::vector<std::vector<base::CapId>> held_;  // by holder
};

// A message to another job that has not arrived yet.
struct Outgoing {
  std::uint32_t process = 0;  // the sender
  std::uint64_t number = 0;
  base::Pid to;
  std::string kind;
  base::Text text;
  std::optional<std::uint64_t> re;
  base::Seq seq = 0;
  ALOS_FIELDS(process, number, to, kind, text, re, seq)
  bool operator==(const Outgoing&) const = default;
};

struct JobState {
  base::JobId job;
  base::Seq seq = 0;  // of the last record
  base::Digest head;  // of the chain
  base::Time at;
  std::string owner;
  abi::Roots roots;
  std::vector<std::string> trapdoors;
  std::uint64_t epoch = 0;
  std::uint64_t authority_version = 0;  // grows when a decision could come out differently
  std::vector<Process> processes;       // number - 1
  std::vector<Capability> caps;         // id - 1
  std::vector<Request> requests;        // id - 1
  std::map<std::string, std::map<std::string, Object>> objects;  // by namespace and name
  std::vector<Person> people;  // who may be asked besides the owner
  std::vector<Outgoing> outbox;
  ALOS_FIELDS(job, seq, head, at, owner, roots, trapdoors, epoch, authority_version, processes,
              caps, requests, objects, people, outbox)
  static constexpr std::size_t kAddedFrom = 13;

  CapabilityIndex index;
  std::vector<std::pair<std::uint32_t, abi::BudgetKind>> to_warn;  // derived: budget.warned is due

  const Process* process(std::uint32_t number) const;
  Process* process(std::uint32_t number);
  const Capability* cap(base::CapId id) const;
  const Request* request(base::RequestId id) const;
  void reindex();  // after decoding
};

// ---- inline ----

inline std::uint64_t CapabilityIndex::mix(std::uint64_t hash, std::string_view run) {
  constexpr std::uint64_t kPrime = 0x9E3779B97F4A7C15ULL;
  for (; run.size() >= 8; run.remove_prefix(8)) {
    std::uint64_t word = 0;
    std::memcpy(&word, run.data(), 8);
    hash = std::rotl(hash ^ word, 29) * kPrime;
  }
  std::uint64_t rest = run.size();
  for (const char c : run) rest = rest << 8 | static_cast<unsigned char>(c);
  hash = std::rotl(hash ^ rest, 29) * kPrime;
  return hash ^ hash >> 32;
}

template <typename AtEnd>
std::uint64_t CapabilityIndex::hash_runs(std::uint32_t holder, std::string_view text,
                                         AtEnd&& at_end) {
  std::uint64_t hash = holder * 0x9E3779B97F4A7C15ULL;
  std::size_t end = text.find(':') + 1;
  hash = mix(hash, text.substr(0, end));
  for (std::size_t start = end; start < text.size(); start = end) {
    at_end(hash);
    end = std::min(text.find('/', start + 1), text.size());
    hash = mix(hash, text.substr(start, end - start));
  }
  at_end(hash);
  return hash;
}

template <typename Visit>
void CapabilityIndex::candidates(std::uint32_t holder, std::string_view resource,
                                 Visit&& visit) const {
  if (slots_.empty()) return;
  const std::size_t mask = slots_.size() - 1;
  hash_runs(holder, resource, [&](std::uint64_t hash) {
    for (std::size_t at = hash & mask; slots_[at].used; at = (at + 1) & mask) {
      if (slots_[at].hash != hash) continue;
      for (std::uint64_t id = slots_[at].first; id != 0; id = next_[id]) visit(base::CapId{id});
      return;
    }
  });
}

}  // namespace alos::core
