#include "surface/service.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <atomic>
#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

#include "base/json.h"
#include "surface/service_socket.h"

namespace alos::surface {

using base::Code;
using base::fail;
using base::Result;

namespace {

constexpr std::size_t kClientsMax = 64;
constexpr std::size_t kWaitersMax = 48;     // the rest is for those who look and decide
constexpr timeval kRequestPatience{10, 0};  // for whoever connects and says nothing
constexpr std::size_t kRequestBytesMax = 4U << 20;
constexpr std::size_t kFrameBytesMax = 256U << 20;
constexpr std::size_t kFrameBytes = 16 * 1024;  // what is held back before it is sent

struct RequestLine {
  std::vector<std::string> argv;
  bool json = false;
  bool colour = false;
  std::uint64_t width = 100;
  std::string cwd;
  ALOS_FIELDS(argv, json, colour, width, cwd)
  static constexpr std::size_t kAddedFrom = 4;
};

struct Frame {
  std::optional<std::string> out;
  std::optional<std::string> err;
  std::optional<std::int64_t> exit;
  ALOS_FIELDS(out, err, exit)
};

class SocketOutput final : public Output {
 public:
  SocketOutput(Socket& socket, const std::atomic<bool>& stopping)
      : socket_(socket), stopping_(stopping) {}

  void out(std::string_view text) override {
    held_ += text;
    if (held_.size() >= kFrameBytes) flush();
  }
  void err(std::string_view text) override {
    flush();
    send({.err = std::string(text)});
  }
  void flush() override {
    if (!held_.empty()) send({.out = std::exchange(held_, {})});
  }
  bool gone() override { return gone_ || stopping_ || socket_.hung_up(); }
  void exit(int code) {
    flush();
    send({.exit = code});
  }

 private:
  void send(const Frame& frame) {
    if (!gone_) gone_ = !socket_.send_line(base::to_json(frame) + '\n');
  }

  Socket& socket_;
  const std::atomic<bool>& stopping_;
  std::string held_;
  bool gone_ = false;
};

}  // namespace

class Service::Listener {
 public:
  Listener(Socket socket, Serve serve, Waits waits)
      : socket_(std::move(socket)),
        serve_(std::move(serve)),
        waits_(std::move(waits)),
        thread_([this] { accept_all(); }) {}

  ~Listener() { stop(std::chrono::hours(1)); }

  bool stop(std::chrono::milliseconds patience) {
    stopping_ = true;
    socket_.shut();
    if (thread_.joinable()) thread_.join();
    std::unique_lock lock(mutex_);
    for (const auto& client : clients_)
      ::shutdown(client, SHUT_RD);  // whoever has not asked yet, never will
    return ended_.wait_for(lock, patience, [this] { return clients_.empty(); });
  }

 private:
  void accept_all() {
    while (!stopping_) {
      const int fd = ::accept4(socket_.fd(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) {
        if (errno == EINTR || errno == ECONNABORTED) continue;
        if (stopping_ || (errno != EMFILE && errno != ENFILE && errno != ENOMEM)) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        continue;
      }
      Socket client(fd);
      const std::lock_guard lock(mutex_);
      if (!client.same_user() || clients_.size() >= kClientsMax) continue;  // closed at once
      ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kRequestPatience, sizeof(kRequestPatience));
      clients_.push_back(fd);
      std::thread([this, socket = std::move(client)]() mutable {
        serve_one(std::move(socket));
      }).detach();
    }
  }

  // Runs on a thread of its own; the last thing it touches is the mutex that stop() waits for.
  void serve_one(Socket socket) {
    answer(socket);
    const std::lock_guard lock(mutex_);
    clients_.remove(socket.fd());
    {
      const Socket closed = std::move(socket);
    }
    ended_.notify_all();
  }

  void answer(Socket& socket) {
    std::string line;
    if (socket.receive_line(line, kRequestBytesMax) != Socket::Got::line) return;
    SocketOutput output(socket, stopping_);
    auto request = base::from_json<RequestLine>(line, base::Source::outside);
    if (!request) {
      report(output, Style{}, request.error());
      return output.exit(static_cast<int>(Code::invalid));
    }
    Asked asked{
        std::move(request->argv),
        {request->json ? Format::json : Format::text, request->colour ? Colour::on : Colour::off,
         static_cast<unsigned>(std::min<std::uint64_t>(request->width, 1000))},
        std::move(request->cwd)};
    output.exit(waits_(asked) ? serve_waiting(asked, output) : serve_(asked, output));
  }

  // What they wait for is decided by a command that needs room as well.
  int serve_waiting(const Asked& asked, Output& output) {
    if (waiters_.fetch_add(1) < kWaitersMax) {
      const int code = serve_(asked, output);
      --waiters_;
      return code;
    }
    --waiters_;
    const base::Error error{
        Code::unavailable,
        fmt::format("{} commands wait at the store's owner already: no more are taken",
                    kWaitersMax),
        "alos approvals lists what may hold them up; answer it, or end some of them"};
    report(output, asked.style, error);
    return static_cast<int>(error.code);
  }

  Socket socket_;
  Serve serve_;
  Waits waits_;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::size_t> waiters_ = 0;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::list<int> clients_;
  std::thread thread_;
};

Service::Service(std::unique_ptr<Listener> listener) : listener_(std::move(listener)) {}
Service::~Service() = default;

Result<std::unique_ptr<Service>> Service::listen(const std::string& store_dir, Serve serve,
                                                 Waits waits) {
  Socket socket = TRY(Socket::bind(store_dir));
  return std::unique_ptr<Service>(new Service(
      std::make_unique<Listener>(std::move(socket), std::move(serve), std::move(waits))));
}

bool Service::stop(std::chrono::milliseconds patience) { return listener_->stop(patience); }

Result<std::optional<int>> ask_owner(const std::string& store_dir, const Asked& asked,
                                     Output& output) {
  auto socket = Socket::connect(store_dir);
  if (!socket) return std::optional<int>();
  if (!socket->same_user())
    return fail(Code::denied, "the store's socket belongs to another user",
                "use a store directory of your own with --store");
  RequestLine request{asked.words, asked.style.json(), asked.style.colour == Colour::on,
                      asked.style.width, asked.cwd};
  if (!socket->send_line(base::to_json(request) + '\n')) return std::optional<int>();
  std::string line;
  bool heard = false;
  while (socket->receive_line(line, kFrameBytesMax) == Socket::Got::line) {
    const Frame frame = TRY(base::from_json<Frame>(line, base::Source::outside, kFrameBytesMax));
    heard = true;
    if (frame.out) output.out(*frame.out);
    if (frame.err) output.err(*frame.err);
    output.flush();
    if (frame.exit) return std::optional<int>(static_cast<int>(*frame.exit));
  }
  if (!heard) return std::optional<int>();  // it went away before it began
  return fail(Code::unavailable, "the process that owns the store went away before it had answered",
              "look with alos ps, and try again");
}

}  // namespace alos::surface
