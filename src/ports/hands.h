// The hands: one interface per kind of resource. A provider does what the intent in its hand says,
// no more.
#pragma once

#include <functional>

#include "abi/calls.h"
#include "ports/outcome.h"
#include "ports/tokens.h"

namespace alos::ports {

// Prompt effects.
template <abi::ExternalCall C>
class Performs {
 public:
  virtual ~Performs() = default;
  virtual Outcome<typename C::Reply> perform(const Intent<C>& intent) = 0;
};

// What a look at the world says about an effect that may have happened.
ALOS_ENUM(Sight, done, not_done, conflict)

// Verifiable effects can be recognised after a crash.
template <abi::ExternalCall C>
class Verifies : public Performs<C> {
 public:
  struct Seen {
    Sight sight = Sight::conflict;
    typename C::Reply reply;  // when done
    std::string what;         // when in conflict: what is there instead
  };
  virtual base::Result<Seen> look(const Intent<C>& intent) = 0;
};

// Effects that take long. `intent` lives until `done` was called; `done` is called once, from any
// thread.
template <abi::DeferredCall C>
class Starts {
 public:
  virtual ~Starts() = default;
  virtual void start(const Intent<C>& intent,
                     std::function<void(Outcome<typename C::Reply>)> done) = 0;
};

ALOS_ENUM(Missing, refuse, leaf, parents)  // what of a path need not exist

class Files : public Performs<abi::FsRead>,
              public Performs<abi::FsList>,
              public Performs<abi::FsStat>,
              public Performs<abi::FsSearch>,
              public Verifies<abi::FsWrite>,
              public Verifies<abi::FsMkdir>,
              public Verifies<abi::FsMove>,
              public Verifies<abi::FsRemove> {
 public:
  using Performs<abi::FsRead>::perform;
  using Performs<abi::FsList>::perform;
  using Performs<abi::FsStat>::perform;
  using Performs<abi::FsSearch>::perform;
  using Performs<abi::FsWrite>::perform;
  using Performs<abi::FsMkdir>::perform;
  using Performs<abi::FsMove>::perform;
  using Performs<abi::FsRemove>::perform;
  using Verifies<abi::FsWrite>::look;
  using Verifies<abi::FsMkdir>::look;
  using Verifies<abi::FsMove>::look;
  using Verifies<abi::FsRemove>::look;

  // Resolves each path beneath its root without leaving it and holds what it found open. Touches
  // nothing. Errors: `not_found` (no such root or file), `denied` (a link that leads out of the
  // root), `invalid` (not a directory in between, a device, a file with several hard links when
  // `missing` is not refuse).
  struct PinSpec {
    base::Path path;
    abi::Leaf leaf = abi::Leaf::follow;
    Missing missing = Missing::refuse;
  };
  virtual base::Result<std::unique_ptr<Pin>> pin(const std::vector<PinSpec>& specs,
                                                 const abi::Roots& roots) = 0;

  // What is at the pinned place `index` now. Reads a file's content into `content` when it has at
  // most `bytes_max` bytes; the digest is always that of the content.
  virtual base::Result<Preimage> preimage(const Pin& pin, std::size_t index,
                                          std::uint64_t bytes_max, std::string& content) = 0;
};

class Clock : public Performs<abi::TimeNow> {
 public:
  virtual base::Time now() = 0;
};

class Models : public Starts<abi::ModelGenerate> {
 public:
  // Whether this model can be asked at all: known prefix, key present, script readable.
  virtual base::Result<void> check(const std::string& model) = 0;
};

ALOS_ENUM(Threads, many, stepped)

// Runs tasks: a pool of threads, or one thread that steps in an order given by a seed.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void post(std::function<void()> task) = 0;
  virtual void post_at(base::Time when, std::function<void()> task) = 0;
  // Whether tasks run by themselves. When not, whoever must wait does the work himself.
  virtual Threads threads() const = 0;
};

// Payloads by digest, for providers that need the bytes of what they were handed by reference.
class Blobs {
 public:
  virtual ~Blobs() = default;
  virtual base::Result<std::string> get(const base::Digest& digest) = 0;
};

struct Hands {
  Files& files;
  Clock& clock;
  Models& models;
  Executor& executor;

  template <abi::ExternalCall C>
  auto& of() const {
    if constexpr (std::is_base_of_v<Performs<C>, Files>)
      return files;
    else if constexpr (std::is_base_of_v<Performs<C>, Clock>)
      return clock;
    else
      return models;
  }
};

}  // namespace alos::ports
