// How values lie in the database: one byte that names the form, then the bytes in it.
//
//   0 raw    1 zstd    2 zstd with the journal dictionary, version 1
//
// A form once written stays readable for ever; a new dictionary is a new form. Private to this
// room.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace alos::store {

enum class Content : std::uint8_t {
  records,
  bytes
};  // records: canonical lines, for which there is a dictionary

// Not thread-safe; made with the first use, so that who only lists pays nothing.
class Packer {
 public:
  Packer();
  ~Packer();
  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;

  std::string pack(std::string_view plain, Content content);  // never longer than `plain` + 1
  base::Result<std::string> unpack(std::string_view packed);  // `corrupt`: not what pack made

 private:
  struct Zstd;
  Zstd& zstd();
  std::unique_ptr<Zstd> zstd_;
};

// Text as records have it, the most usual last. Frozen: form 2 cannot be read without exactly these
// bytes.
std::string_view journal_dictionary_v1();

}  // namespace alos::store
