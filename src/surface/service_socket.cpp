#include "surface/service_socket.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace alos::surface {

using base::Code;
using base::fail;
using base::Result;

namespace {

constexpr std::string_view kSocketName = "/socket";

// An address for the socket in the directory, however long its path is: through an open directory's
// /proc entry.
struct Address {
  sockaddr_un name{};
  int dir_fd = -1;

  Address() = default;
  Address(Address&& other) noexcept : name(other.name), dir_fd(other.dir_fd) { other.dir_fd = -1; }
  ~Address() {
    if (dir_fd >= 0) ::close(dir_fd);
  }
  const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&name); }
};

base::Unexpected broken(const std::string& what) {
  return fail(Code::unavailable, fmt::format("{}: {}", what, std::strerror(errno)));
}

Result<Address> address_of(const std::string& dir) {
  Address address;
  std::string path = dir + std::string(kSocketName);
  if (path.size() >= sizeof(address.name.sun_path)) {
    address.dir_fd = ::open(dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (address.dir_fd < 0) return broken("cannot open " + dir);
    path = fmt::format("/proc/self/fd/{}{}", address.dir_fd, kSocketName);
  }
  address.name.sun_family = AF_UNIX;
  std::memcpy(address.name.sun_path, path.data(), path.size());
  return address;
}

}  // namespace

Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(held_, other.held_);
  return *this;
}

Socket::~Socket() {
  if (fd_ >= 0) ::close(fd_);
}

Result<Socket> Socket::bind(const std::string& store_dir) {
  const Address address = TRY(address_of(store_dir));
  Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.fd_ < 0) return broken("cannot make a socket");
  ::unlink((store_dir + std::string(kSocketName)).c_str());
  if (::fchmod(socket.fd_, 0600) != 0)
    return broken("cannot protect the socket");  // the mode it is bound with
  if (::bind(socket.fd_, address.raw(), sizeof(address.name)) != 0)
    return broken(fmt::format("cannot listen on {}{}", store_dir, kSocketName));
  if (::chmod((store_dir + std::string(kSocketName)).c_str(), 0600) != 0 ||
      ::listen(socket.fd_, 16) != 0)
    return broken(fmt::format("cannot listen on {}{}", store_dir, kSocketName));
  return socket;
}

Result<Socket> Socket::connect(const std::string& store_dir) {
  const Address address = TRY(address_of(store_dir));
  Socket socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (socket.fd_ < 0) return broken("cannot make a socket");
  if (::connect(socket.fd_, address.raw(), sizeof(address.name)) != 0)
    return broken(fmt::format("nobody listens on {}{}", store_dir, kSocketName));
  return socket;
}

bool Socket::send_line(std::string_view line) {
  while (!line.empty()) {
    const ssize_t bytes = ::send(fd_, line.data(), line.size(), MSG_NOSIGNAL);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return false;
    line.remove_prefix(static_cast<std::size_t>(bytes));
  }
  return true;
}

Socket::Got Socket::receive_line(std::string& line, std::size_t bytes_max) {
  for (;;) {
    if (const std::size_t end = held_.find('\n'); end != std::string::npos) {
      line = held_.substr(0, end);
      held_.erase(0, end + 1);
      return Got::line;
    }
    if (held_.size() > bytes_max) return Got::too_long;
    char buffer[16 * 1024];
    const ssize_t bytes = ::recv(fd_, buffer, sizeof(buffer), 0);
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes <= 0) return Got::end;
    held_.append(buffer, static_cast<std::size_t>(bytes));
  }
}

bool Socket::hung_up() const {
  pollfd poll_fd{fd_, POLLRDHUP, 0};
  return ::poll(&poll_fd, 1, 0) > 0 && (poll_fd.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

void Socket::shut() { ::shutdown(fd_, SHUT_RDWR); }

bool Socket::same_user() const {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (::getsockopt(fd_, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == ::geteuid() || peer.uid == 0;
}

}  // namespace alos::surface
