#include "surface/dispatch.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <thread>

#include "base/text.h"

namespace alos::surface {

using base::Code;
using base::fail;
using base::Result;
using kernel::OpenOptions;

namespace {

constexpr int kOwnTries = 20;
constexpr auto kOwnEvery = std::chrono::milliseconds(100);
constexpr auto kEndPatience = std::chrono::milliseconds(500);

Result<int> look(Host& host, const Parsed& parsed) {
  struct stat found = {};
  if (parsed.command->access != Access::images &&
      ::stat((host.store_dir + "/store.db").c_str(), &found) != 0)
    return fail(Code::not_found,
                fmt::format("there is no store in {}", base::printable(host.store_dir)),
                "alos run makes one; another one: --store DIR");
  const auto kernel =
      TRY(host.open({.store_dir = host.store_dir, .mode = OpenOptions::Mode::look}));
  Session session{*kernel,        host.output,          host.style,
                  host.store_dir, Session::Place::here, working_directory()};
  return parsed.command->run(session, parsed.arguments);
}

// As the owner, for as long as the command takes. Others are served meanwhile: the call may ask
// something.
Result<int> act_as_owner(Host& host, const Parsed& parsed, kernel::Kernel& kernel) {
  const auto service = TRY(serve_others(kernel, host.store_dir, Session::Place::service));
  Session session{kernel,         host.output,          host.style,
                  host.store_dir, Session::Place::here, working_directory()};
  auto code = parsed.command->run(session, parsed.arguments);
  if (!code) report(host.output, host.style, code.error());
  const int value = code ? *code : static_cast<int>(code.error().code);
  end_service(*service, host.output, value);
  return value;
}

Result<int> act(Host& host, const Parsed& parsed, const Asked& asked) {
  for (int tries = 1;; ++tries) {
    if (const auto code = TRY(ask_owner(host.store_dir, asked, host.output))) return *code;
    const auto kernel = host.open({.store_dir = host.store_dir, .mode = OpenOptions::Mode::own});
    if (kernel) return act_as_owner(host, parsed, **kernel);
    // An owner that does not listen yet, or not any more.
    if (kernel.error().code != Code::conflict || tries >= kOwnTries)
      return base::Unexpected(kernel.error());
    std::this_thread::sleep_for(kOwnEvery);
  }
}

bool may_wait(const Asked& asked) {
  const auto parsed = parse_arguments(asked.words);
  return parsed && parsed->command != nullptr &&
         (parsed->command->access == Access::follow || parsed->command->name == "call" ||
          parsed->command->access == Access::host || parsed->arguments.has("follow"));
}

int serve(kernel::Kernel& kernel, const std::string& store_dir, Session::Place place,
          const Asked& asked, Output& output) {
  const auto run = [&]() -> Result<int> {
    const Parsed parsed = TRY(parse_arguments(asked.words));
    if (parsed.command == nullptr || parsed.command->run == nullptr)
      return fail(Code::invalid, "the owner of a store does not run this command for others");
    Session session{kernel, output, asked.style, store_dir, place, asked.cwd};
    return parsed.command->run(session, parsed.arguments);
  };
  const auto code = run();
  if (!code) report(output, asked.style, code.error());
  return code ? *code : static_cast<int>(code.error().code);
}

}  // namespace

Result<std::unique_ptr<Service>> serve_others(kernel::Kernel& kernel, const std::string& store_dir,
                                              Session::Place place) {
  const auto run = [&kernel, store_dir, place](const Asked& asked, Output& output) {
    return serve(kernel, store_dir, place, asked, output);
  };
  return Service::listen(store_dir, run, may_wait);
}

void end_service(Service& service, Output& output, int code) {
  if (service.stop(kEndPatience)) return;
  output.flush();
  std::_Exit(code);
}

Result<std::shared_ptr<kernel::Kernel>> open_to_own(const Host& host) {
  // Somebody may have it only for as long as a decision takes.
  for (int tries = 1;; ++tries) {
    auto kernel = host.open({.store_dir = host.store_dir, .mode = OpenOptions::Mode::own});
    if (kernel || kernel.error().code != Code::conflict) return kernel;
    if (tries < kOwnTries) {
      std::this_thread::sleep_for(kOwnEvery);
      continue;
    }
    return fail(Code::conflict, kernel.error().what,
                "one runtime works on a store at a time: wait for it, end it, or use another store "
                "with --store DIR");
  }
}

Result<int> dispatch(Host& host, const Parsed& parsed, const std::vector<std::string>& words) {
  const Asked asked{words, host.style, working_directory()};
  switch (parsed.command->access) {
    case Access::images:
    case Access::look: {
      const bool follows = parsed.arguments.has("follow");
      if (follows)
        if (const auto code = TRY(ask_owner(host.store_dir, asked, host.output))) return *code;
      return look(host, parsed);
    }
    case Access::follow:
      if (const auto code = TRY(ask_owner(host.store_dir, asked, host.output))) return *code;
      return look(host, parsed);
    case Access::act: return act(host, parsed, asked);
    case Access::host:
      if (parsed.command->run == nullptr || parsed.arguments.has("dry-run")) break;
      if (const auto code = TRY(ask_owner(host.store_dir, asked, host.output))) return *code;
      break;
  }
  return parsed.command->run_host(host, parsed.arguments);
}

}  // namespace alos::surface
