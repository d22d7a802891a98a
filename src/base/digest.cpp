#include "base/digest.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <memory>

#include "base/text.h"

namespace alos::base {
namespace {

// One fetched algorithm and one context a thread: fetching by name costs more than hashing a
// record.
class Sha256 {
 public:
  Sha256()
      : md_(EVP_MD_fetch(nullptr, "SHA256", nullptr), &EVP_MD_free),
        context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    CHECK(md_ != nullptr && context_ != nullptr);
  }

  Digest operator()(std::string_view first, std::string_view second) {
    Digest digest;
    CHECK(EVP_DigestInit_ex2(context_.get(), md_.get(), nullptr) == 1);
    CHECK(EVP_DigestUpdate(context_.get(), first.data(), first.size()) == 1);
    CHECK(EVP_DigestUpdate(context_.get(), second.data(), second.size()) == 1);
    CHECK(EVP_DigestFinal_ex(context_.get(), digest.bytes.data(), nullptr) == 1);
    return digest;
  }

 private:
  std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> md_;
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

Sha256& hasher() {
  static thread_local Sha256 instance;
  return instance;
}

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

Digest Digest::of(std::string_view data) { return hasher()(data, {}); }
Digest Digest::of(std::string_view first, std::string_view second) {
  return hasher()(first, second);
}

Result<Digest> Digest::from_hex(std::string_view hex) {
  Digest digest;
  bool ok = hex.size() == 64;
  for (std::size_t i = 0; ok && i < 32; ++i) {
    const int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);
    ok = high >= 0 && low >= 0;
    if (ok) digest.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  if (!ok)
    return fail(Code::invalid,
                fmt::format("`{}` is not a SHA-256 digest", printable(shortened(hex, 80))),
                "64 lowercase hex digits");
  return digest;
}

Result<Digest> Digest::from_bytes(std::string_view raw) {
  if (raw.size() != 32)
    return fail(Code::invalid, fmt::format("a digest has 32 bytes, not {}", raw.size()));
  Digest digest;
  std::memcpy(digest.bytes.data(), raw.data(), 32);
  return digest;
}

std::string to_hex(const Digest& digest) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out(64, '0');
  for (std::size_t i = 0; i < 32; ++i) {
    out[2 * i] = kHex[digest.bytes[i] >> 4];
    out[2 * i + 1] = kHex[digest.bytes[i] & 15];
  }
  return out;
}

std::string short_hex(const Digest& digest) { return to_hex(digest).substr(0, 12); }

}  // namespace alos::base
