// What is done at pinned places. Plain functions: whoever calls them has an intent in hand.
//
// Errors name the place. `conflict`: the place is no longer what was pinned.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "providers/files_pin.h"

namespace alos::providers {

inline constexpr std::uint64_t kSearchFileBytesMax =
    8U << 20;  // larger files are not searched for text
inline constexpr std::uint64_t kSearchBytesMax = 1U << 30;     // read by one search
inline constexpr std::uint64_t kSearchEntriesMax = 1'000'000;  // looked at by one search
inline constexpr unsigned kSearchDepthMax = 128;
inline constexpr std::uint64_t kLineBytesMax = 400;

// ---- looking ----

base::Result<abi::FsRead::Reply> read_file(const PinnedPath& place, const abi::FsRead& call);
base::Result<abi::FsStat::Reply> stat_file(const PinnedPath& place);

// Whether the caller may see a place.
using Shows = std::function<bool(const base::Path&)>;
base::Result<abi::FsList::Reply> list_directory(const PinnedPath& place, const Shows& shows,
                                                std::uint64_t entries_max = abi::kListEntriesMax);
base::Result<abi::FsSearch::Reply> search_files(const PinnedPath& place, const abi::FsSearch& call,
                                                const Shows& shows);

// `*` any characters of one name, `**` of any, `**/` also nothing, `?` one character.
bool glob_matches(std::string_view glob, std::string_view path);

// What is at the place now. `content` gets a file's content when it has at most `bytes_max` bytes.
base::Result<ports::Preimage> preimage_of(const PinnedPath& place, std::uint64_t bytes_max,
                                          std::string& content);

// ---- changing: what is done is durable ----

// The name under which a write prepares its content, from the intent's key.
std::string temp_name(const std::string& key);
bool is_temp_name(std::string_view name);

ports::Outcome<abi::FsWrite::Reply> write_file(const PinnedPath& place, const abi::FsWrite& call,
                                               const std::string& temp);
ports::Outcome<abi::FsMkdir::Reply> make_directory(const PinnedPath& place,
                                                   const abi::FsMkdir& call);
ports::Outcome<abi::FsMove::Reply> move_file(const PinnedPath& from, const PinnedPath& to);
ports::Outcome<abi::FsRemove::Reply> remove_file(const PinnedPath& place);

// ---- recognising what an earlier attempt did; `before` is what was there before it ----

template <typename C>
using Seen = typename ports::Verifies<C>::Seen;
using Before = std::optional<ports::Preimage>;

base::Result<Seen<abi::FsWrite>> look_at_write(const PinnedPath& place, const abi::FsWrite& call,
                                               const Before& before, const std::string& temp);
base::Result<Seen<abi::FsMkdir>> look_at_mkdir(const PinnedPath& place, const Before& before);
base::Result<Seen<abi::FsMove>> look_at_move(const PinnedPath& from, const PinnedPath& to,
                                             const Before& before);
base::Result<Seen<abi::FsRemove>> look_at_remove(const PinnedPath& place, const Before& before);

// ---- shared by the above ----

// Opens the pinned regular file to read it, without following or blocking.
base::Result<Fd> open_file(const PinnedPath& place, Status& status);
// At most `bytes_max` bytes from `offset`; less only at the end of the file.
base::Result<std::string> read_bytes(int file, std::uint64_t offset, std::uint64_t bytes_max,
                                     const base::Path& path);
base::Result<base::Digest> digest_of_file(int file, const base::Path& path);
// Makes the names in a directory durable.
base::Result<void> sync_directory(const Fd& pinned, const base::Path& path);

}  // namespace alos::providers
