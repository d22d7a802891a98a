// For tests of stores: makes segments whose chain is right, and directories that vanish. Test code
// only.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "store/store.h"

namespace alos::store::test {

// A job's journal as its owner has it in hand.
class TestJournal {
 public:
  explicit TestJournal(std::uint64_t job) : job_{job} {}

  // The next segment; the lines come without '\n'.
  Segment next(const std::vector<std::string>& lines) {
    Segment segment{.job = job_,
                    .first = last_ + 1,
                    .count = static_cast<std::uint32_t>(lines.size()),
                    .before = head_};
    for (const std::string& line : lines) {
      head_ = base::Digest::of(head_.view(), line);
      (segment.lines += line) += '\n';
    }
    segment.head = head_;
    last_ += lines.size();
    return segment;
  }
  Segment next(std::initializer_list<std::string> lines) { return next(std::vector(lines)); }
  Segment next(const std::string& line) { return next(std::vector{line}); }

  base::JobId job() const { return job_; }
  base::Seq last() const { return last_; }
  const base::Digest& head() const { return head_; }
  void resume(const JobRow& row) { std::tie(last_, head_) = std::pair(row.last, row.head); }

 private:
  base::JobId job_;
  base::Seq last_ = 0;
  base::Digest head_;
};

inline Blob blob_of(std::string bytes) { return {base::Digest::of(bytes), std::move(bytes)}; }

// Bytes that cannot be compressed, the same for the same seed.
inline std::string noise(std::size_t bytes, std::uint64_t seed) {
  std::string out;
  for (std::uint64_t i = 0; out.size() < bytes; ++i) {
    const std::string text = std::to_string(seed) + "/" + std::to_string(i);
    out += base::Digest::of(text).view();
  }
  out.resize(bytes);
  return out;
}

class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "alos-store-XXXXXX").string();
    CHECK(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string path(const std::string& below = {}) const {
    return below.empty() ? path_ : path_ + "/" + below;
  }

 private:
  std::string path_;
};

}  // namespace alos::store::test
