#include "store/compression.h"

#include <fmt/format.h>
#include <zstd.h>

namespace alos::store {

using base::Code;
using base::fail;
using base::Result;

namespace {

enum class Form : char { raw = 0, zstd = 1, zstd_dictionary_v1 = 2 };

constexpr int kLevelSmall = -1;  // one commit's records: somebody waits, and they are packed again
constexpr int kLevelLarge = 3;
constexpr std::size_t kLargeBytes = 8U << 10;       // from here a dictionary is only a beginning
constexpr std::size_t kWorthBytes = 32;             // less is not worth a try
constexpr std::uint64_t kRatioMax = 1U << 16;       // zstd cannot do better than half of it
constexpr std::uint64_t kPlainBytesMax = 1U << 30;  // SQLite holds no larger value

}  // namespace

struct Packer::Zstd {
  std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> writer{ZSTD_createCCtx(), &ZSTD_freeCCtx};
  std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> reader{ZSTD_createDCtx(), &ZSTD_freeDCtx};
  std::unique_ptr<ZSTD_CDict, decltype(&ZSTD_freeCDict)> small{nullptr, &ZSTD_freeCDict};
  std::unique_ptr<ZSTD_DDict, decltype(&ZSTD_freeDDict)> known{nullptr, &ZSTD_freeDDict};

  Zstd() {
    const std::string_view words = journal_dictionary_v1();
    small.reset(ZSTD_createCDict(words.data(), words.size(), kLevelSmall));
    known.reset(ZSTD_createDDict(words.data(), words.size()));
    CHECK(writer != nullptr && reader != nullptr && small != nullptr && known != nullptr);
  }

  std::size_t compress(std::string& out, std::string_view plain, Content content) {
    char* to = out.data() + 1;
    const std::size_t room = out.size() - 1;
    if (content == Content::bytes)
      return ZSTD_compressCCtx(writer.get(), to, room, plain.data(), plain.size(), kLevelLarge);
    if (plain.size() < kLargeBytes)
      return ZSTD_compress_usingCDict(writer.get(), to, room, plain.data(), plain.size(),
                                      small.get());
    const std::string_view words = journal_dictionary_v1();
    return ZSTD_compress_usingDict(writer.get(), to, room, plain.data(), plain.size(), words.data(),
                                   words.size(), kLevelLarge);
  }
};

Packer::Packer() = default;
Packer::~Packer() = default;

Packer::Zstd& Packer::zstd() {
  if (zstd_ == nullptr) zstd_ = std::make_unique<Zstd>();
  return *zstd_;
}

std::string Packer::pack(std::string_view plain, Content content) {
  std::string out;
  if (plain.size() >= kWorthBytes) {
    out.resize(1 + ZSTD_compressBound(plain.size()));
    const std::size_t bytes = zstd().compress(out, plain, content);
    if (ZSTD_isError(bytes) == 0 && bytes < plain.size()) {
      out[0] =
          static_cast<char>(content == Content::records ? Form::zstd_dictionary_v1 : Form::zstd);
      out.resize(1 + bytes);
      return out;
    }
  }
  out.assign(1, static_cast<char>(Form::raw));
  return out.append(plain);
}

Result<std::string> Packer::unpack(std::string_view packed) {
  if (packed.empty()) return fail(Code::corrupt, "a stored value is empty");
  const auto form = static_cast<Form>(packed.front());
  packed.remove_prefix(1);
  if (form == Form::raw) return std::string(packed);
  if (form != Form::zstd && form != Form::zstd_dictionary_v1) {
    return fail(Code::corrupt,
                fmt::format("a stored value has the unknown form {}", static_cast<int>(form)));
  }
  const unsigned long long size = ZSTD_getFrameContentSize(packed.data(), packed.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > kPlainBytesMax ||
      size / kRatioMax > packed.size()) {
    return fail(Code::corrupt, "a stored value has no valid zstd header");
  }
  std::string plain(size, '\0');
  const std::size_t got =
      form == Form::zstd
          ? ZSTD_decompressDCtx(zstd().reader.get(), plain.data(), plain.size(), packed.data(),
                                packed.size())
          : ZSTD_decompress_usingDDict(zstd().reader.get(), plain.data(), plain.size(),
                                       packed.data(), packed.size(), zstd().known.get());
  if (ZSTD_isError(got) != 0)
    return fail(Code::corrupt,
                fmt::format("a stored value cannot be unpacked: {}", ZSTD_getErrorName(got)));
  if (got != plain.size()) return fail(Code::corrupt, "a stored value is shorter than it says");
  return plain;
}

}  // namespace alos::store
