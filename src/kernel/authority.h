// Authority: the only maker of Permits. Decides over capabilities and budget; what must ask a human
// parks here.
#pragma once

#include "core/decide.h"
#include "kernel/budget.h"
#include "kernel/journal.h"
#include "kernel/preview.h"

namespace alos::kernel {

class Authority {
 public:
  explicit Authority(Journal& journal) : journal_(journal) {}

  // The files a call names are resolved and pinned first, and both the name and the real place must
  // be allowed. Errors: `denied` (recorded, says why), `parked` (a human is asked), `exhausted`
  // (budget), or what resolving said.
  template <abi::Call C>
  base::Result<ports::Permit<C>> decide(C call, const base::Digest& digest);

 private:
  using Decisions = std::vector<std::pair<abi::Need, core::Decision>>;
  struct Shown {  // to a person who is asked
    std::string preview;
    std::string arguments;
    std::optional<core::Seen> seen;
  };
  struct Question {
    std::string_view name;
    const base::Digest& digest;
    const std::function<Shown()>& show;
  };

  template <abi::PinnedCall C>
  base::Result<std::unique_ptr<ports::Pin>> pin(C& call) const;
  // The content that a write would replace; nothing where there is none, or none that can be shown.
  template <abi::Call C>
  Before what_is_there(const C& call, const ports::Pin* pin) const;
  std::optional<core::Seen> seen_at(const ports::Pin* pin) const;
  base::Result<void> check(const Lock& lock, const Question& question, ports::Grounds& grounds);
  base::Result<void> check_open_intent(const Lock& lock, ports::Grounds& grounds,
                                       const core::Syscall& open) const;
  base::Unexpected refuse(const Lock& lock, const Question& question, const abi::Need& need,
                          const core::Decision& decision);
  base::Unexpected ask(const Lock& lock, const Question& question, const Decisions& asked);
  base::Result<void> note_approvals(const Lock& lock, const Question& question,
                                    const Decisions& approved);
  abi::Caller caller() const { return {journal_.place().pid()}; }

  Journal& journal_;
};

// The call as JSON with all that it holds, for a person who may edit it: a record would refer to
// what is large.
template <abi::Call C>
std::string whole_json(C call) {
  std::vector<store::Blob> blobs;
  detach_payloads(call, blobs);
  const auto load = [&](const base::Digest& digest) -> base::Result<std::string> {
    for (const store::Blob& blob : blobs)
      if (blob.digest == digest) return blob.bytes;
    return base::fail(base::Code::not_found, "it is in the store already");
  };
  std::string json = base::to_json(call);
  auto whole = base::with_payloads(json, load);
  return whole ? std::move(*whole) : std::move(json);
}

// A place is needed once, whatever names lead to it.
inline void add_need(abi::Needs& needs, abi::Need need) {
  for (const abi::Need& one : needs)
    if (one.right == need.right && one.reach == need.reach && one.resource == need.resource) return;
  needs.push_back(std::move(need));
}

template <abi::PinnedCall C>
base::Result<std::unique_ptr<ports::Pin>> Authority::pin(C& call) const {
  abi::Roots roots;
  bool interrupted = false;  // what it names may be gone because it was done
  {
    const Lock lock(journal_.place().job->mutex);
    roots = journal_.place().job->state.roots;
    const core::Syscall* open = journal_.find(lock, journal_.n());
    interrupted = open != nullptr && open->stage == core::Stage::intended;
  }
  std::vector<ports::Files::PinSpec> specs;
  for (const base::Path* path : call.paths()) {
    auto missing = interrupted ? ports::Missing::leaf : ports::Missing::refuse;
    if constexpr (std::is_same_v<C, abi::FsWrite>) missing = ports::Missing::leaf;
    if constexpr (std::is_same_v<C, abi::FsMkdir>)
      missing = call.parents ? ports::Missing::parents : ports::Missing::leaf;
    if constexpr (std::is_same_v<C, abi::FsMove>)
      missing = specs.empty() ? missing : ports::Missing::leaf;
    specs.push_back({*path, C::kLeaf, missing});
  }
  return journal_.services().hands.files.pin(specs, roots);
}

template <abi::Call C>
Before Authority::what_is_there(const C&, const ports::Pin* pin) const {
  Before before;
  if constexpr (std::is_same_v<C, abi::FsWrite>) {
    std::string content;
    if (pin == nullptr) return before;
    const auto found = journal_.services().hands.files.preimage(*pin, 0, kShownBytesMax, content);
    if (!found) return before;
    if (!found->existed) before.is = Before::Is::nothing;
    if (!found->existed || !found->digest) return before;
    before.is = Before::Is::file;
    if (base::Digest::of(content) == *found->digest) before.content = std::move(content);
  }
  return before;
}

template <abi::Call C>
base::Result<ports::Permit<C>> Authority::decide(C call, const base::Digest& digest) {
  ports::Grounds grounds;
  grounds.digest = digest;
  grounds.needs = call.needs(caller());
  std::unique_ptr<ports::Pin> pinned;
  base::Result<void> found;
  if constexpr (abi::PinnedCall<C>) {
    auto pinning = pin(call);
    if (pinning) {
      pinned = std::move(*pinning);
      C real = call;
      std::size_t i = 0;
      for (base::Path* path : real.paths()) *path = pinned->real_paths()[i++];
      if (base::to_json(real) != base::to_json(call))
        for (abi::Need& need : real.needs(caller())) add_need(grounds.needs, std::move(need));
      for (const base::Path& path : pinned->made_on_the_way())
        add_need(grounds.needs,
                 {abi::Resource::file(path), abi::Right::write, abi::Reach::exact, {}});
    } else {
      found = base::Unexpected(pinning.error());
    }
  }
  const Lock lock(journal_.place().job->mutex);
  grounds.reserves = reservation(journal_.place().job->state, journal_.place().process, call);
  // What resolving found out is for those only who may ask: the name is decided first.
  const std::function<Shown()> show = [&] {
    Shown shown{preview_of(call, what_is_there(call, pinned.get())), whole_json(call), {}};
    if constexpr (C::kClass == abi::EffectClass::verifiable) shown.seen = seen_at(pinned.get());
    return shown;
  };
  TRY(check(lock, {C::kName, digest, show}, grounds));
  if (!found) {
    journal_.observe(digest, C::kName, found.error());
    return base::Unexpected(found.error());
  }
  if constexpr (std::is_same_v<C, abi::ModelGenerate>)
    call.output_tokens_max = grounds.reserves.output_tokens;
  ports::View view;
  for (const abi::Need& need : grounds.needs) {
    if (need.reach != abi::Reach::subtree) continue;
    auto visible = std::make_shared<const core::SubtreeView>(
        journal_.place().job->state, journal_.place().process, need.resource,
        journal_.services().hands.clock.now());
    view = [visible](const abi::Resource& resource, abi::Right right) {
      return visible->shows(resource, right);
    };
  }
  return ports::Permit<C>(std::move(call), std::move(pinned), std::move(view), std::move(grounds));
}

}  // namespace alos::kernel
