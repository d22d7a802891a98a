#include "surface/service.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

namespace alos::surface {
namespace {

class KeptOutput final : public Output {
 public:
  std::string out_text, err_text;
  void out(std::string_view text) override { out_text += text; }
  void err(std::string_view text) override { err_text += text; }
  void flush() override {}
  bool gone() override { return false; }
};

class ServiceTest : public testing::Test {
 protected:
  ServiceTest()
      : dir_(testing::TempDir() + "/" +
             testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(dir_);
    std::filesystem::create_directories(dir_);
  }
  std::string dir_;
};

bool nobody_waits(const Asked&) { return false; }

int echo(const Asked& asked, Output& output) {
  for (const auto& word : asked.words) output.out(word + "|");
  output.err(asked.style.json() ? "json" : "text");
  output.out("after");
  return 5;
}

TEST_F(ServiceTest, NobodyListens) {
  KeptOutput output;
  const auto code = ask_owner(dir_, {{"ps"}, {}}, output);
  ASSERT_TRUE(code);
  EXPECT_FALSE(*code);
}

TEST_F(ServiceTest, RunsTheCommandAndStreamsWhatItSays) {
  const auto service = Service::listen(dir_, echo, nobody_waits);
  ASSERT_TRUE(service) << service.error().what;
  KeptOutput output;
  const auto code =
      ask_owner(dir_, {{"answer", "7.r1", "a\n\x01\"b"}, {Format::json, Colour::off, 80}}, output);
  ASSERT_TRUE(code) << code.error().what;
  EXPECT_EQ(*code, 5);
  EXPECT_EQ(output.out_text, "answer|7.r1|a\n\x01\"b|after");
  EXPECT_EQ(output.err_text, "json");
}

TEST_F(ServiceTest, IsForTheSameUserOnlyAndReplacesAStaleSocket) {
  for (int round = 0; round < 2; ++round) {
    const auto service = Service::listen(dir_, echo, nobody_waits);
    ASSERT_TRUE(service) << service.error().what;
    struct stat found = {};
    ASSERT_EQ(::stat((dir_ + "/socket").c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0600U);
  }
}

TEST_F(ServiceTest, WorksBelowAPathLongerThanASocketAddress) {
  dir_ += "/" + std::string(120, 'd');
  std::filesystem::create_directories(dir_);
  const auto service = Service::listen(dir_, echo, nobody_waits);
  ASSERT_TRUE(service) << service.error().what;
  KeptOutput output;
  EXPECT_EQ(**ask_owner(dir_, {{"x"}, {}}, output), 5);
}

TEST_F(ServiceTest, ACommandThatWaitsEndsWhenTheServiceStops) {
  std::atomic<bool> begun = false;
  const auto service = Service::listen(
      dir_,
      [&](const Asked&, Output& output) {
        begun = true;
        while (!output.gone()) std::this_thread::yield();
        return 9;
      },
      nobody_waits);
  ASSERT_TRUE(service);
  KeptOutput output;
  std::thread client([&] { (void)ask_owner(dir_, {{"log"}, {}}, output); });
  while (!begun) std::this_thread::yield();
  EXPECT_TRUE((*service)->stop(std::chrono::seconds(30)));
  client.join();
}

TEST_F(ServiceTest, ThoseWhoWaitLeaveRoomForThoseWhoDecide) {
  std::atomic<int> waiting = 0;
  std::atomic<bool> decided = false;
  const auto serve = [&](const Asked& asked, Output&) {
    if (asked.words[0] == "approve") return 0;
    ++waiting;
    decided.wait(false);
    return 7;
  };
  const auto service =
      Service::listen(dir_, serve, [](const Asked& asked) { return asked.words[0] == "call"; });
  ASSERT_TRUE(service) << service.error().what;
  constexpr int kTaken = 48;
  std::vector<std::thread> clients;
  for (int i = 0; i < kTaken; ++i)
    clients.emplace_back([this] {
      KeptOutput output;
      EXPECT_EQ(**ask_owner(dir_, {{"call"}, {}}, output), 7);
    });
  while (waiting < kTaken) std::this_thread::yield();
  KeptOutput output;
  EXPECT_EQ(**ask_owner(dir_, {{"call"}, {}}, output), static_cast<int>(base::Code::unavailable));
  EXPECT_NE(output.err_text.find("48 commands wait"), std::string::npos) << output.err_text;
  EXPECT_EQ(**ask_owner(dir_, {{"approve"}, {}}, output), 0);
  decided = true;
  decided.notify_all();
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(**ask_owner(dir_, {{"call"}, {}}, output), 7);
}

}  // namespace
}  // namespace alos::surface
