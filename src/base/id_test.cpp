// Names of jobs, processes, capabilities and requests, as people type them.
#include "base/id.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

namespace alos::base::test {
namespace {

TEST(Id, ReadsUnsignedNumbersOnly) {
  struct Row {
    std::string_view text;
    std::optional<std::uint64_t> number;
  };
  const std::vector<Row> rows{{"0", 0U},
                              {"7", 7U},
                              {"18446744073709551615", UINT64_MAX},
                              {"18446744073709551616", {}},
                              {"", {}},
                              {"00", {}},
                              {"07", {}},
                              {"-1", {}},
                              {"+1", {}},
                              {" 1", {}},
                              {"1 ", {}},
                              {"1.0", {}},
                              {"0x10", {}},
                              {"1e3", {}}};
  for (const Row& row : rows) EXPECT_EQ(parse_unsigned(row.text), row.number) << row.text;
}

TEST(Id, ReadsPids) {
  struct Row {
    std::string_view text;
    std::optional<Pid> pid;
  };
  const std::vector<Row> rows{{"7.2", Pid{JobId{7}, 2}},
                              {"7", Pid{JobId{7}, 1}},  // a job's root
                              {"9223372036854775807.4294967295", Pid{JobId{INT64_MAX}, UINT32_MAX}},
                              {"9223372036854775808.1", std::nullopt},
                              {"7.4294967296", {}},
                              {"0.1", {}},
                              {"7.0", {}},
                              {"", {}},
                              {".", {}},
                              {"7.", {}},
                              {".2", {}},
                              {"7.2.3", {}},
                              {"7.c2", {}},
                              {"7,2", {}},
                              {"a.b", {}},
                              {"07.2", {}},
                              {"7.2 ", {}}};
  for (const Row& row : rows) {
    const auto pid = parse_pid(row.text);
    ASSERT_EQ(pid.has_value(), row.pid.has_value()) << row.text;
    if (pid) {
      EXPECT_EQ(*pid, *row.pid);
      EXPECT_EQ(parse_pid(to_string(*pid)).value(), *pid);
    } else {
      EXPECT_EQ(pid.error().code, Code::invalid);
      EXPECT_NE(pid.error().details.find("7.2"), std::string::npos);
    }
  }
  EXPECT_EQ(parse_pid("\x1b").error().what, "`\\u{001B}` is not a pid");
}

TEST(Id, ReadsCapabilitiesAndRequests) {
  EXPECT_EQ(to_string(JobId{7}, CapId{3}), "7.c3");
  EXPECT_EQ(to_string(JobId{7}, RequestId{2}), "7.r2");
  const auto cap = parse_job_scoped("7.c3", 'c');
  ASSERT_TRUE(cap.has_value());
  EXPECT_EQ(cap->job, JobId{7});
  EXPECT_EQ(cap->number, 3U);
  EXPECT_TRUE(parse_job_scoped("7.r2", 'r').has_value());
  for (const std::string_view text : {"", "7", "7.3", "7.r3", "7.c", "7.c0", "0.c1", "c3", "7.c3x",
                                      "7.c03", "7.C3", "7. c3", "\x1b"}) {
    const auto bad = parse_job_scoped(text, 'c');
    ASSERT_FALSE(bad.has_value()) << text;
    EXPECT_EQ(bad.error().code, Code::invalid);
    EXPECT_NE(bad.error().what.find("JOB.cN"), std::string::npos);
    EXPECT_EQ(bad.error().what.find('\x1b'), std::string::npos);
  }
}

}  // namespace
}  // namespace alos::base::test
