// Agent libOS as a library: run an agent as a process, with the authority you name, durable to the
// last step.
//
//   auto runtime = alos::Runtime::open("/var/lib/my-agents");
//   if (!runtime) return complain(runtime.error());
//   alos::Run run;
//   run.goal = "Summarise the TODOs under src into TODO.md";
//   run.model = "openai/gpt-5";
//   run.roots = {{"workspace", "/home/me/project"}};
//   run.grants = {"read,list fs:/workspace/**", "write fs:/workspace/TODO.md"};
//   const auto pid = runtime->launch(run);
//   const auto end = runtime->wait(*pid);
//
// This is the small part of the kernel's interface that is meant to last; the version tells when it
// changes. What is not here yet: one's own tools, providers and images.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace alos {

inline constexpr int kVersion = 1;

struct Failure {
  int code = 0;  // as the command's exit codes: 1 denied, 3 not_found, 5 invalid, 6 conflict, ...
  std::string what;
  std::string details;  // the way out
};

template <typename T>
class Expected {
 public:
  // NOLINTBEGIN(google-explicit-constructor): `return value;` and `return failure;` is how it is
  // made.
  Expected(T value) : value_(std::move(value)) {}
  Expected(Failure failure) : failure_(std::move(failure)) {}
  // NOLINTEND(google-explicit-constructor)
  explicit operator bool() const { return value_.has_value(); }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  const Failure& error() const { return failure_; }

 private:
  std::optional<T> value_;
  Failure failure_;
};

struct Run {
  std::string goal;
  std::string model;  // openai/NAME, ollama/NAME, script:/absolute/file.jsonl
  std::string image = "coding";
  std::string name = "root";
  std::vector<std::pair<std::string, std::string>>
      roots;                        // logical name, absolute directory without symlinks
  std::vector<std::string> grants;  // RIGHTS RESOURCE [ask|deny] [uses=N] [until=TIME]
  std::optional<std::uint64_t> model_tokens, tool_calls;  // absent: no limit
};

struct Process {
  std::string pid;     // 7.1
  std::string state;   // runnable, waiting, paused, exited, failed, killed
  std::string reason;  // of a pause, a failure or an end
  std::optional<std::string> result;
};

// A question or an approval that waits for somebody.
struct Request {
  std::string id;  // 7.r2
  std::string pid;
  std::string kind;  // approval, question, grant
  std::string question;
  std::vector<std::string> asks;  // the authority a yes would give
};

struct Answer {
  enum class Kind : std::uint8_t { approve_once, approve_process, deny, text } kind = Kind::deny;
  std::string text;
};

// The one runtime of a store, and its threads. May be used from any thread. Destroying it loses
// nothing: what was under way goes on with `resume`.
class Runtime {
 public:
  // Errors: conflict (another process owns the store), unavailable.
  static Expected<Runtime> open(const std::string& store_dir);
  Runtime(Runtime&&) noexcept;
  Runtime& operator=(Runtime&&) noexcept;
  ~Runtime();

  Expected<std::string> launch(const Run& run);  // the pid
  Expected<Process> resume(const std::string& pid);
  Expected<Process> process(const std::string& pid);
  // Until it has ended or is paused, or `patience` has passed; the state it is in then.
  Expected<Process> wait(const std::string& pid,
                         std::chrono::milliseconds patience = std::chrono::hours(24));
  Expected<std::vector<Request>> requests();  // open ones
  Expected<bool> answer(const std::string& request, const Answer& answer);

 private:
  struct Parts;
  explicit Runtime(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace alos
