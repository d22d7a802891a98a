// HTTP POSTs, thousands in flight on one thread (curl multi), with repeats decided by whoever asks.
//
// libcurl is loaded when the first of these is opened, not when the program starts: linked, it and
// its 30 libraries cost every `alos ps` 4.0 ms (0.95 -> 4.96 ms wall) and 6.1 MiB (1.2 -> 7.3 MiB
// peak RSS), measured with an empty program on Debian 12; loaded, 6.5 ms once, and only where a
// model on the network is asked.
//
// Certificates are verified, redirects not followed, no cookies, no .netrc, only http and https.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace alos::providers {

struct PostOptions {
  std::chrono::milliseconds connect_timeout{15'000};
  std::chrono::milliseconds idle_timeout{300'000};  // without a byte in either direction
  std::size_t in_flight_max = 256;
  std::string proxy;    // URL; empty: none
  std::string ca_file;  // PEM; empty: the system's authorities
};

struct PostRequest {
  std::string url;
  std::vector<std::string> headers;  // "Name: value"
  std::string body;
};

// How one attempt ended, beside what was received until then.
struct PostEnd {
  enum class Kind : unsigned char {
    whole,      // the response is complete
    broken,     // no connection, or cut; asking again may help
    hopeless,   // will be so again: bad certificate, bad URL
    idle,       // nothing came for idle_timeout
    stopped,    // by Exchange::on_bytes
    cancelled,  // HttpPosts is being destroyed
  };
  Kind kind = Kind::whole;
  int status = 0;           // 0: no response began
  std::string retry_after;  // the header; may be empty
  std::string why;          // unless whole: the reason, in a few words
  bool sent = false;        // an attempt was made before or now
};

enum class Flow : unsigned char { go_on, stop };

// One request and what becomes of it. Called on the thread of HttpPosts only, and must not block.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual const PostRequest& request() const = 0;  // the same one throughout
  virtual void on_head(int status,
                       std::string_view content_type) = 0;  // before the first byte of a body
  virtual Flow on_bytes(std::string_view bytes) = 0;
  // After how long to ask again; nothing: it is over. Once `cancelled` the answer does not matter.
  virtual std::optional<std::chrono::milliseconds> on_end(const PostEnd& end) = 0;
};

class HttpPosts {
 public:
  // Errors: `unavailable` when libcurl cannot be loaded.
  static base::Result<std::unique_ptr<HttpPosts>> open(PostOptions options);
  ~HttpPosts();  // every exchange still here ends as cancelled

  void post(std::unique_ptr<Exchange> exchange);  // from any thread

 private:
  class Loop;
  explicit HttpPosts(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

}  // namespace alos::providers
