#include "providers/http_post.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace alos::providers {
namespace {

using base::Code;
using base::fail;
using base::Result;
using Steady = std::chrono::steady_clock;

constexpr std::size_t kHeaderBytesMax = 1U << 20;

// The functions of libcurl that are used, out of the library when it is loaded.
struct Curl {
  decltype(&::curl_global_init) global_init = nullptr;
  decltype(&::curl_easy_init) easy_init = nullptr;
  decltype(&::curl_easy_setopt) easy_setopt = nullptr;
  decltype(&::curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&::curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&::curl_easy_strerror) easy_strerror = nullptr;
  decltype(&::curl_slist_append) slist_append = nullptr;
  decltype(&::curl_slist_free_all) slist_free_all = nullptr;
  decltype(&::curl_multi_init) multi_init = nullptr;
  decltype(&::curl_multi_add_handle) multi_add_handle = nullptr;
  decltype(&::curl_multi_remove_handle) multi_remove_handle = nullptr;
  decltype(&::curl_multi_perform) multi_perform = nullptr;
  decltype(&::curl_multi_info_read) multi_info_read = nullptr;
  decltype(&::curl_multi_poll) multi_poll = nullptr;
  decltype(&::curl_multi_wakeup) multi_wakeup = nullptr;
  decltype(&::curl_multi_cleanup) multi_cleanup = nullptr;
};

template <typename Function>
bool find(void* library, const char* name, Function& out) {
  out = reinterpret_cast<Function>(::dlsym(library, name));
  return out != nullptr;
}

// The library stays loaded: OpenSSL inside it has work to do at exit.
Result<Curl> load_curl() {
  constexpr const char* kWayOut =
      "install it (apt install libcurl4), or use a model that needs no network (script:PATH)";
  void* library = ::dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    return fail(Code::unavailable, fmt::format("libcurl cannot be loaded: {}", ::dlerror()),
                kWayOut);
  Curl curl;
  const bool all = find(library, "curl_global_init", curl.global_init) &&
                   find(library, "curl_easy_init", curl.easy_init) &&
                   find(library, "curl_easy_setopt", curl.easy_setopt) &&
                   find(library, "curl_easy_getinfo", curl.easy_getinfo) &&
                   find(library, "curl_easy_cleanup", curl.easy_cleanup) &&
                   find(library, "curl_easy_strerror", curl.easy_strerror) &&
                   find(library, "curl_slist_append", curl.slist_append) &&
                   find(library, "curl_slist_free_all", curl.slist_free_all) &&
                   find(library, "curl_multi_init", curl.multi_init) &&
                   find(library, "curl_multi_add_handle", curl.multi_add_handle) &&
                   find(library, "curl_multi_remove_handle", curl.multi_remove_handle) &&
                   find(library, "curl_multi_perform", curl.multi_perform) &&
                   find(library, "curl_multi_info_read", curl.multi_info_read) &&
                   find(library, "curl_multi_poll", curl.multi_poll) &&
                   find(library, "curl_multi_wakeup", curl.multi_wakeup) &&
                   find(library, "curl_multi_cleanup", curl.multi_cleanup);
  if (!all)
    return fail(Code::unavailable, fmt::format("libcurl is too old: {}", ::dlerror()),
                "7.68 or newer is needed");
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return fail(Code::unavailable, "libcurl cannot be initialised", kWayOut);
  return curl;
}

// One attempt on the network.
struct Transfer {
  const Curl& curl;
  std::unique_ptr<Exchange> exchange;
  CURL* easy;
  curl_slist* headers = nullptr;
  char error[CURL_ERROR_SIZE] = "";
  Steady::time_point last_activity = Steady::now();
  curl_off_t bytes_moved = 0;
  std::size_t header_bytes = 0;
  std::string retry_after;
  bool head_done = false;

  Transfer(const Curl& library, std::unique_ptr<Exchange> asked)
      : curl(library), exchange(std::move(asked)), easy(curl.easy_init()) {}
  ~Transfer() {
    if (easy != nullptr) curl.easy_cleanup(easy);
    curl.slist_free_all(headers);
  }
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  int status() const {
    long code = 0;
    curl.easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
    return static_cast<int>(code);
  }

  void begin_body() {
    if (std::exchange(head_done, true)) return;
    const char* type = nullptr;
    curl.easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
    exchange->on_head(status(), type == nullptr ? "" : type);
  }
};

std::size_t on_body(char* data, std::size_t, std::size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  transfer.begin_body();
  return transfer.exchange->on_bytes({data, size}) == Flow::go_on ? size : 0;
}

std::size_t on_header(char* data, std::size_t, std::size_t size, void* user) {
  static constexpr std::string_view kName = "retry-after:";
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view line(data, size);
  transfer.header_bytes += size;
  if (transfer.header_bytes > kHeaderBytesMax) return 0;
  if (line.starts_with("HTTP/"))
    transfer.retry_after.clear();  // a new response, after a 100 or a proxy's
  const auto same = [](char a, char b) { return (a | 0x20) == b || a == b; };
  if (line.size() > kName.size() && std::equal(kName.begin(), kName.end(), line.begin(),
                                               [&](char b, char a) { return same(a, b); }))
    transfer.retry_after = line.substr(kName.size(), 100);
  return size;
}

int on_progress(void* user, curl_off_t, curl_off_t received, curl_off_t, curl_off_t sent) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (received + sent != transfer.bytes_moved) transfer.last_activity = Steady::now();
  transfer.bytes_moved = received + sent;
  return 0;
}

void prepare(Transfer& transfer, const PostOptions& options) {
  const Curl& curl = transfer.curl;
  const PostRequest& request = transfer.exchange->request();
  const auto set = [&](CURLoption option, auto value) {
    curl.easy_setopt(transfer.easy, option, value);
  };
  for (const std::string& header : request.headers)
    transfer.headers = curl.slist_append(transfer.headers, header.c_str());
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_HTTPHEADER, transfer.headers);
  set(CURLOPT_POST, 1L);
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  set(CURLOPT_POSTFIELDS, request.body.data());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (!options.ca_file.empty()) set(CURLOPT_CAINFO, options.ca_file.c_str());
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_PROXY, options.proxy.c_str());  // "" also keeps curl from looking at the environment
  set(CURLOPT_NOPROXY, "");
  set(CURLOPT_NOSIGNAL, 1L);
  // Over TLS the handshake tells whether one connection can carry many requests; in the clear curl
  // would wait for the first response to know, one request after the other.
  set(CURLOPT_PIPEWAIT, request.url.starts_with("https:") ? 1L : 0L);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
  set(CURLOPT_ERRORBUFFER, transfer.error);
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(&transfer));
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &on_progress);
  set(CURLOPT_XFERINFODATA, static_cast<void*>(&transfer));
}

PostEnd::Kind kind_of(CURLcode code) {
  switch (code) {
    case CURLE_OK: return PostEnd::Kind::whole;
    case CURLE_WRITE_ERROR: return PostEnd::Kind::stopped;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR: return PostEnd::Kind::hopeless;
    default: return PostEnd::Kind::broken;
  }
}

}  // namespace

class HttpPosts::Loop {
 public:
  Loop(Curl curl, PostOptions options)
      : curl_(curl), options_(std::move(options)), multi_(curl_.multi_init()) {
    thread_ = std::thread([this] { run(); });
  }

  ~Loop() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    curl_.multi_wakeup(multi_);
    thread_.join();
    curl_.multi_cleanup(multi_);
  }

  void add(std::unique_ptr<Exchange> exchange) {
    {
      const std::lock_guard lock(mutex_);
      incoming_.push_back(std::move(exchange));
    }
    curl_.multi_wakeup(multi_);
  }

 private:
  struct Waiting {
    std::unique_ptr<Exchange> exchange;
    bool sent = false;
  };

  void run() {
    while (take_incoming()) {
      start_due();
      int running = 0;
      curl_.multi_perform(multi_, &running);
      collect_ended();
      end_idle();
      curl_.multi_poll(multi_, nullptr, 0, poll_ms(), nullptr);
    }
    cancel_all();
  }

  // False when it is time to stop.
  bool take_incoming() {
    const std::lock_guard lock(mutex_);
    for (auto& exchange : incoming_) waiting_.emplace(Steady::now(), Waiting{std::move(exchange)});
    incoming_.clear();
    return !stop_;
  }

  void start_due() {
    const auto now = Steady::now();
    while (!waiting_.empty() && in_flight_.size() < options_.in_flight_max &&
           waiting_.begin()->first <= now) {
      auto node = waiting_.extract(waiting_.begin());
      auto transfer = std::make_unique<Transfer>(curl_, std::move(node.mapped().exchange));
      CURL* easy = transfer->easy;
      if (easy == nullptr || multi_ == nullptr) {
        end(std::move(transfer),
            {PostEnd::Kind::hopeless, 0, {}, "out of memory", node.mapped().sent});
        continue;
      }
      prepare(*transfer, options_);
      curl_.multi_add_handle(multi_, easy);
      in_flight_.emplace(easy, std::move(transfer));
    }
  }

  void collect_ended() {
    int left = 0;
    while (CURLMsg* message = curl_.multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;  // `message` dies with the handle's removal
      auto transfer = take_out(message->easy_handle);
      PostEnd what{kind_of(code), transfer->status(), std::move(transfer->retry_after), {}, true};
      if (code != CURLE_OK)
        what.why = transfer->error[0] != '\0' ? transfer->error : curl_.easy_strerror(code);
      end(std::move(transfer), what);
    }
  }

  // Looks at all of them, so not more often than a fourth of the time they have.
  void end_idle() {
    const auto now = Steady::now();
    if (now < next_idle_check_) return;
    next_idle_check_ = now + idle_step();
    std::vector<CURL*> idle;
    for (const auto& [easy, transfer] : in_flight_)
      if (now - transfer->last_activity > options_.idle_timeout) idle.push_back(easy);
    for (CURL* easy : idle) {
      auto transfer = take_out(easy);
      const PostEnd what{PostEnd::Kind::idle,
                         transfer->status(),
                         {},
                         fmt::format("nothing came for {} ms", options_.idle_timeout.count()),
                         true};
      end(std::move(transfer), what);
    }
  }

  std::unique_ptr<Transfer> take_out(CURL* easy) {
    curl_.multi_remove_handle(multi_, easy);
    auto node = in_flight_.extract(easy);
    return std::move(node.mapped());
  }

  void end(std::unique_ptr<Transfer> transfer, const PostEnd& what) {
    if (what.status != 0) transfer->begin_body();  // a response without a body
    if (const auto delay = transfer->exchange->on_end(what))
      waiting_.emplace(Steady::now() + *delay, Waiting{std::move(transfer->exchange), true});
  }

  void cancel_all() {
    const PostEnd sent{PostEnd::Kind::cancelled, 0, {}, "the program is stopping", true};
    const PostEnd unsent{PostEnd::Kind::cancelled, 0, {}, "the program is stopping", false};
    while (!in_flight_.empty()) take_out(in_flight_.begin()->first)->exchange->on_end(sent);
    for (auto& [when, item] : waiting_) item.exchange->on_end(item.sent ? sent : unsent);
    waiting_.clear();
  }

  Steady::duration idle_step() const {
    return std::max<Steady::duration>(options_.idle_timeout / 4, std::chrono::milliseconds(1));
  }

  int poll_ms() const {
    auto wait = Steady::duration(std::chrono::seconds(60));
    const auto now = Steady::now();
    if (!in_flight_.empty()) wait = std::min(wait, next_idle_check_ - now);
    if (!waiting_.empty() && in_flight_.size() < options_.in_flight_max)
      wait = std::min(wait, waiting_.begin()->first - now);
    return static_cast<int>(
        std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(wait).count()));
  }

  const Curl curl_;
  const PostOptions options_;
  CURLM* const multi_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Exchange>> incoming_;  // under mutex_
  bool stop_ = false;                                // under mutex_
  // The rest belongs to the thread.
  std::multimap<Steady::time_point, Waiting> waiting_;  // by when to start
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> in_flight_;
  Steady::time_point next_idle_check_{};
  std::thread thread_;
};

Result<std::unique_ptr<HttpPosts>> HttpPosts::open(PostOptions options) {
  return std::unique_ptr<HttpPosts>(
      new HttpPosts(std::make_unique<Loop>(TRY(load_curl()), std::move(options))));
}

HttpPosts::HttpPosts(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
HttpPosts::~HttpPosts() = default;

void HttpPosts::post(std::unique_ptr<Exchange> exchange) { loop_->add(std::move(exchange)); }

}  // namespace alos::providers
