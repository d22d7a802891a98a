// get_time, sleep, set_working_directory, exit.
#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "base/text.h"
#include "tools/builtin/builtin.h"

namespace alos::tools {
namespace {

using base::Code;
using base::fail;
using base::Path;
using base::Result;

constexpr double kSleepSecondsMax = 10.0 * 366 * 24 * 3600;  // ten years

struct GetTime {
  static constexpr std::string_view kName = "get_time";
  static constexpr std::string_view kDescription = "The present date and time, in UTC.";
  struct Args {
    ALOS_FIELDS()
  };
  using Reply = abi::TimeNow::Reply;

  static Result<Reply> run(abi::Syscalls& sys, Args) { return sys.call(abi::TimeNow{}); }
};

struct Sleep {
  static constexpr std::string_view kName = "sleep";
  static constexpr std::string_view kDescription =
      "Wait. Long waits cost nothing, and survive a restart.";
  static constexpr std::string_view kSchema =
      R"({"type":"object","properties":{"seconds":{"description":"how long; fractions are allowed","type":"number","minimum":0}},)"
      R"("required":["seconds"],"additionalProperties":false})";
  struct Args {
    base::Json seconds;
    ALOS_FIELDS(seconds)
  };
  using Reply = abi::TimeSleep::Reply;

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    const std::string& text = args.seconds.data;
    double seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    const bool is_number = error == std::errc{} && end == text.data() + text.size();
    if (!is_number || !(seconds >= 0 && seconds <= kSleepSecondsMax))
      return fail(
          Code::invalid,
          fmt::format("arguments of sleep: `seconds`: expected a number from 0 to {:.0f}, got {}",
                      kSleepSecondsMax, base::printable(base::shortened(text, 60))),
          "sleep takes {seconds}");
    return sys.call(abi::TimeSleep{static_cast<std::uint64_t>(std::llround(seconds * 1000))});
  }
};

struct SetWorkingDirectory {
  static constexpr std::string_view kName = "set_working_directory";
  static constexpr std::string_view kDescription =
      "Make a directory the one that relative paths are taken from. It holds from the next call "
      "on.";
  struct Args {
    std::string path;
    ALOS_FIELDS(path)
  };
  struct Reply {
    Path path;
    ALOS_FIELDS(path)
  };

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    const Path path = TRY(Path::parse(args.path, sys.cwd()));
    const auto stat = TRY(sys.call(abi::FsStat{path}));
    if (stat.kind != abi::FileKind::directory)
      return fail(Code::invalid,
                  fmt::format("{} is no directory but a {}", path.text(), base::name_of(stat.kind)),
                  fmt::format("its directory is {}", path.parent().text()));
    TRY(sys.call(abi::ProcChdir{stat.real}));
    return Reply{stat.real};
  }
};

struct Exit {
  static constexpr std::string_view kName = "exit";
  static constexpr std::string_view kDescription =
      "End this process: the work is done, or cannot be done. Nothing runs after it.";
  static constexpr std::string_view kSchema =
      R"({"type":"object","properties":{"result":{"description":"what came of the work, for the person or process that asked: a text or a JSON value"}},)"
      R"("required":["result"],"additionalProperties":false})";
  struct Args {
    base::Json result;
    ALOS_FIELDS(result)
  };
  struct Reply {
    bool exiting = true;
    ALOS_FIELDS(exiting)
  };

  static Result<Reply> run(abi::Syscalls& sys, Args args) {
    base::Text result = args.result.data;
    if (args.result.data.starts_with('"'))
      result = TRY(base::from_json<base::Text>(args.result.data, base::Source::outside));
    TRY(sys.call(abi::ProcExit{std::move(result)}));
    return Reply{};
  }
};

}  // namespace

std::vector<Tool> process_tools() {
  return make_tools<GetTime, Sleep, SetWorkingDirectory, Exit>();
}

}  // namespace alos::tools
