// TestJob: a job of records for tests. Appends bodies as a runtime would: next seq, one second
// later, chained.
#pragma once

#include <string>

#include "core/apply.h"

namespace alos::core::test {

class TestJob {
 public:
  // Applies the next record; it joins `lines` only when it fits.
  base::Result<void> add(Body body, std::uint32_t process = 1) {
    const Record record{{7},
                        state.seq + 1,
                        base::Time{1'763'829'797'000'000} + std::chrono::seconds(state.seq),
                        process,
                        0,
                        std::move(body)};
    std::string line;
    append_canonical(line, record);
    auto done = apply(state, record, chain(state.head, line));
    if (done) lines += line + '\n';
    return done;
  }

  // The same, of what must fit.
  void put(Body body, std::uint32_t process = 1) {
    const auto done = add(std::move(body), process);
    if (!done) base::check_failed(done.error().what.c_str(), __FILE__, __LINE__);
  }

  JobState state;
  std::string lines;
};

inline ProcessSpawned spawned(std::uint32_t number, std::uint32_t parent, std::string name) {
  ProcessSpawned body;
  body.number = number;
  body.parent = parent;
  body.name = std::move(name);
  body.image = "base";
  body.model = "script:./turns.jsonl";
  body.prompt = "You are an agent.";
  body.goal = "Do it.";
  body.tools = {"read_file", "write_file"};
  body.cwd = base::Path::parse("/workspace").value();
  body.budget.tool_calls = 300;
  return body;
}

inline Capability capability(std::uint64_t id, std::uint32_t holder, const std::string& grant) {
  Capability cap;
  cap.id = {id};
  cap.holder = holder;
  cap.grant = abi::Grant::from_text(grant).value();
  cap.uses_left = cap.grant.uses;
  cap.from = "manifest";
  return cap;
}

inline CallIntended intended(std::uint64_t call, std::uint32_t n,
                             std::vector<base::CapId> spends = {}) {
  CallIntended body;
  body.call = {call};
  body.n = n;
  body.name = "fs.write";
  body.effect = abi::EffectClass::verifiable;
  body.digest = base::Digest::of("call");
  body.spends = std::move(spends);
  body.existed = false;
  return body;
}

inline RequestOpened opened(std::uint64_t id, RequestKind kind) {
  RequestOpened body;
  body.request = {id};
  body.kind = kind;
  body.to = "owner";
  body.question = "May it?";
  body.name = "fs.write";
  body.digest = base::Digest::of("call");
  return body;
}

}  // namespace alos::core::test
