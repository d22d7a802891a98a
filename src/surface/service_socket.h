// The socket in the store's directory, and lines over it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace alos::surface {

class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(other.fd_), held_(std::move(other.held_)) {
    other.fd_ = -1;
  }
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();

  // Errors: `unavailable`.
  static base::Result<Socket> bind(const std::string& store_dir);
  static base::Result<Socket> connect(const std::string& store_dir);

  int fd() const { return fd_; }
  bool send_line(std::string_view line);  // with the newline; false: nobody there
  enum class Got { line, end, too_long };
  Got receive_line(std::string& line, std::size_t bytes_max);
  bool hung_up() const;
  void shut();             // wakes whoever waits on it
  bool same_user() const;  // the other end is this user, or root

 private:
  int fd_;
  std::string held_;
};

}  // namespace alos::surface
