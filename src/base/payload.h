// Payload: data that may be large. Either at hand, or kept in the store as a blob and named by its
// digest.
//
// Calls, replies and objects hold their text and JSON this way, so that records and states stay
// small: encoded, a payload over kInlineBytesMax is a reference; whoever records it moves the bytes
// to the store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/digest.h"

namespace alos::base {

inline constexpr std::size_t kInlineBytesMax = 2048;

struct BlobRef {
  Digest digest;
  std::uint64_t bytes = 0;

  bool operator==(const BlobRef&) const = default;
};

struct Payload {
  std::string data;             // the bytes, when `blob` is empty
  std::optional<BlobRef> blob;  // set: the bytes are in the store

  std::uint64_t size_bytes() const { return blob ? blob->bytes : data.size(); }
  Digest digest() const { return blob ? blob->digest : Digest::of(data); }
  bool operator==(const Payload&) const = default;
};

// Any bytes; a JSON string where they are UTF-8 and small.
struct Text : Payload {
  Text() = default;
  Text(std::string text) : Payload{std::move(text), {}} {}  // NOLINT(google-explicit-constructor)
  Text(const char* text) : Text(std::string(text)) {}       // NOLINT(google-explicit-constructor)
};

// One JSON document in canonical form (as `canonical_json` makes it); embedded as it is.
struct Json : Payload {
  Json() : Payload{"null", {}} {}
  // Trusts that `text` is canonical JSON; from outside use base::parse_json.
  static Json trusted(std::string text) {
    Json json;
    json.data = std::move(text);
    return json;
  }
};

// JSON text that is always at hand and embedded as it is; payloads inside it may be references.
struct RawJson {
  std::string text;
  bool operator==(const RawJson&) const = default;
};

// True when the payload's bytes belong into a blob: large, or not to be said in a record as they
// are.
bool wants_blob(const Text& text);
bool wants_blob(const Json& json);

}  // namespace alos::base
