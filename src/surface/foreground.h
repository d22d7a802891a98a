// Foreground: stays with processes until each has ended or is paused. It shows what they do, gets
// what they ask answered, and can be left at any time: everything is durable.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "surface/approve.h"
#include "surface/narrate.h"
#include "surface/prompt.h"
#include "surface/session.h"

namespace alos::surface {

// While it lives, Ctrl-C and SIGTERM (and SIGHUP, where it is noted too) are noted instead of
// ending the program. Made before any thread is started.
class Interrupts {
 public:
  enum class Hangup : std::uint8_t { ends, noted };
  explicit Interrupts(Hangup hangup = Hangup::ends);
  ~Interrupts();
  Interrupts(const Interrupts&) = delete;
  Interrupts& operator=(const Interrupts&) = delete;
  enum class Signal : std::uint8_t { none, end, hangup };
  Signal next();  // that has come since it was asked last
  bool came() { return next() != Signal::none; }
  int fd() const { return fd_; }
  void release();  // the next one ends the program at once

 private:
  Hangup hangup_;
  int fd_ = -1;
  bool held_ = true;
};

// How a process ended, or that it is paused, told; the exit code that says the same.
int say_end(Output& output, const Style& style, const std::string& store_dir,
            const kernel::ProcessView& process);

class Foreground {
 public:
  Foreground(Host& host, kernel::Kernel& kernel, ApprovePolicy policy, Interrupts& interrupts);

  // `subscription` was made before the processes were set going, so that nothing is missed. The
  // exit code: 0 when all have exited, else that of the first that has not.
  base::Result<int> watch(kernel::Subscription& subscription, const std::vector<base::Pid>& pids);

 private:
  void show(const kernel::RecordView& record);
  void look_at_states();
  void look_at_trouble();
  base::Result<void> look_at_requests();
  base::Result<void> answer(const kernel::RequestView& request, const kernel::Answer& answer);
  void say(const base::Error& error);
  void ask_person(const kernel::RequestView& request);
  void forget_typed();
  void say_how_to_answer(const kernel::RequestView& request);
  base::Result<void> answer_as_person(const kernel::RequestView& request, const Said& said);
  void look_whether_settled(const kernel::RequestView& request, Then then);
  base::Result<void> take_input();
  base::Result<void> take_line(const std::string& line);
  void edit(const kernel::RequestView& request);
  std::vector<kernel::ProcessView> line_of(base::Pid pid) const;
  int leave();

  Host& host_;
  kernel::Kernel& kernel_;
  ApprovePolicy policy_;
  Interrupts& interrupts_;
  Narrator narrator_;
  std::set<base::JobId> jobs_;
  std::set<base::Pid> going_;
  bool requests_changed_ = true;
  bool troubled_ = false;
  bool person_;                               // at the terminal
  std::optional<kernel::RequestView> asked_;  // the request the person is asked about now
  bool editing_ = false;                      // the next line is the call, edited
  std::set<std::string> told_;                // requests whose way out was printed
  std::set<std::string> others_;              // requests that now wait for other people
  std::string typed_;
};

}  // namespace alos::surface
