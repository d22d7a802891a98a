#include "abi/resource.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace alos::abi {
namespace {

using base::Code;
using base::fail;
using base::Result;

constexpr std::array<std::string_view, 11> kSchemes{
    "fs", "object", "human", "clock", "model", "process", "image", "shell", "net", "mcp", "secret"};

// `%`, `*`, white space, control characters and a segment `..` never stand as themselves in a
// resource, so that its text is an exact pattern too.
void append_escaped(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  for (std::size_t at = 0; at <= text.size(); ++at) {
    const std::size_t end = std::min(text.find('/', at), text.size());
    const std::string_view segment = text.substr(at, end - at);
    for (const char c : segment) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte > 0x20 && byte != 0x7F && c != '%' && c != '*' && segment != "..")
        out += c;
      else
        ((out += '%') += kHex[byte >> 4]) += kHex[byte & 15];
    }
    if (end < text.size()) out += '/';
    at = end;
  }
}

// A lone `%`, which nothing else is escaped to, stands for the empty name: a resource has a body.
void append_name(std::string& out, std::string_view name) {
  if (name.empty())
    out += '%';
  else
    append_escaped(out, name);
}

// Whether the segment's escapes are those that resources are written with: another spelling of a
// name would never match, and a deny that never matches protects nothing.
bool is_escaped_as_ours(std::string_view segment) {
  if (segment == "%2E%2E") return true;
  for (std::size_t at = segment.find('%'); at != std::string_view::npos;
       at = segment.find('%', at + 1)) {
    static constexpr std::string_view kHex = "0123456789ABCDEF";
    const std::size_t high =
        at + 1 < segment.size() ? kHex.find(segment[at + 1]) : std::string_view::npos;
    const std::size_t low =
        at + 2 < segment.size() ? kHex.find(segment[at + 2]) : std::string_view::npos;
    if (high == std::string_view::npos || low == std::string_view::npos) return false;
    const std::size_t byte = high * 16 + low;
    if (byte > 0x20 && byte != 0x7F && byte != '%' && byte != '*') return false;
  }
  return true;
}

// Takes the next segment off `rest`; `more` says whether another follows.
std::string_view next_segment(std::string_view& rest, bool& more) {
  const std::size_t slash = rest.find('/');
  const std::string_view segment = rest.substr(0, slash);
  more = slash != std::string_view::npos;
  rest = more ? rest.substr(slash + 1) : std::string_view{};
  return segment;
}

// Walks two patterns side by side, segment by segment.
enum class Question : std::uint8_t { covers, overlaps };
bool compare(std::string_view a, std::string_view b, Question question) {
  for (bool more_a = true, more_b = true;;) {
    const std::string_view segment_a = next_segment(a, more_a);
    const std::string_view segment_b = next_segment(b, more_b);
    if (segment_a == "**") return true;
    if (segment_b == "**") return question == Question::overlaps;
    const bool meet = segment_a == segment_b || segment_a == "*" ||
                      (question == Question::overlaps && segment_b == "*");
    if (!meet) return false;
    if (!more_a && !more_b) return true;
    if (!more_a) return question == Question::overlaps && b == "**";
    if (!more_b) return a == "**";
  }
}

base::Unexpected bad_pattern(std::string_view text, std::string_view why) {
  return fail(Code::invalid,
              fmt::format("`{}` is not a resource pattern: {}",
                          base::printable(base::shortened(text, 120)), why),
              "write SCHEME:BODY, where `*` is one whole segment and a last `**` a subtree: "
              "fs:/workspace/src/**, human:owner, model:openai/*");
}

Result<void> check_scheme(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return bad_pattern(text, "it has no scheme");
  const std::string_view scheme = text.substr(0, colon);
  if (std::find(kSchemes.begin(), kSchemes.end(), scheme) != kSchemes.end()) return {};
  const std::string_view near = base::nearest(scheme, kSchemes);
  return bad_pattern(text, near.empty() ? fmt::format("no scheme `{}`", base::printable(scheme))
                                        : fmt::format("no scheme `{}`; did you mean `{}`?",
                                                      base::printable(scheme), near));
}

}  // namespace

Result<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    static constexpr std::string_view kHex = "0123456789ABCDEF";
    const std::size_t high = i + 1 < text.size() ? kHex.find(text[i + 1]) : std::string_view::npos;
    const std::size_t low = i + 2 < text.size() ? kHex.find(text[i + 2]) : std::string_view::npos;
    if (high == std::string_view::npos || low == std::string_view::npos)
      return fail(Code::invalid, "`%` begins an escape of two capital hex digits, as in %20");
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string Rights::to_text() const {
  std::string out;
  for (std::size_t i = 0; i < base::enum_names<Right>().size(); ++i)
    if (has(static_cast<Right>(i))) (out += out.empty() ? "" : ",") += base::enum_names<Right>()[i];
  return out;
}

Result<Rights> Rights::from_text(std::string_view text) {
  static constexpr auto kNames = base::enum_names<Right>();
  Rights rights;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    const std::string_view name = text.substr(at, comma - at);
    const auto* const found = std::find(kNames.begin(), kNames.end(), name);
    if (found == kNames.end()) {
      const std::string_view near = base::nearest(name, kNames);
      return fail(Code::invalid,
                  fmt::format("`{}` is not a right{}", base::printable(base::shortened(name, 60)),
                              near.empty() ? "" : fmt::format("; did you mean `{}`?", near)),
                  "rights are read, write, list, execute, separated by commas");
    }
    rights.add(static_cast<Right>(found - kNames.begin()));
    at = comma + 1;
  }
  return rights;
}

Resource Resource::file(const base::Path& path) {
  std::string text = "fs:";
  append_escaped(text, path.text());
  return Resource(std::move(text));
}

Resource Resource::object(std::string_view space, std::string_view name) {
  std::string text = "object:";
  append_escaped(text, space);
  // A namespace is one segment: another one's objects cannot be named through it.
  for (std::size_t at = text.find('/'); at != std::string::npos; at = text.find('/', at))
    text.replace(at, 1, "%2F");
  text += '/';
  append_escaped(text, name);
  return Resource(std::move(text));
}

Resource Resource::human(std::string_view name) {
  std::string text = "human:";
  append_name(text, name);
  return Resource(std::move(text));
}

Resource Resource::clock(std::string_view what) { return Resource("clock:" + std::string(what)); }

Resource Resource::model(std::string_view model) {
  std::string text = "model:";
  append_name(text, model);
  return Resource(std::move(text));
}

Resource Resource::image(std::string_view name) {
  std::string text = "image:";
  append_name(text, name);
  return Resource(std::move(text));
}

Resource Resource::process(base::Pid pid) { return Resource("process:" + base::to_string(pid)); }

Result<Resource> Resource::from_text(std::string_view text) {
  TRY(check_scheme(text));
  return Resource(std::string(text));
}

// Two bits a segment, the first segment highest: 3 literal, 2 `*`, 1 `**`. An exact pattern goes on
// with 3s, so that it beats every subtree that begins like it.
Pattern::Pattern(std::string text) : text_(std::move(text)) {
  const std::size_t body = text_.find(':') + 1;
  std::string_view rest = std::string_view(text_).substr(body);
  prefix_bytes_ = static_cast<std::uint32_t>(text_.size());
  bool more = true;
  std::uint64_t weight = 3;
  for (int shift = 62; shift >= 0; shift -= 2) {
    if (more) {
      const std::size_t start = text_.size() - rest.size();
      const std::string_view segment = next_segment(rest, more);
      weight = segment == "**" ? 1 : segment == "*" ? 2 : 3;
      if (weight != 3 && !wildcard_) {
        wildcard_ = true;
        prefix_bytes_ = static_cast<std::uint32_t>(start == body ? start : start - 1);
      }
    } else if (weight != 1) {
      weight = 3;
    }
    specificity_ |= weight << shift;
  }
  const std::string_view tail = std::string_view(text_).substr(prefix_bytes_);
  subtree_ = literal_prefix().ends_with(':') ? tail == "**" : tail == "/**";
}

Result<Pattern> Pattern::from_text(std::string_view text) {
  TRY(check_scheme(text));
  if (!base::is_utf8(text)) return bad_pattern(text, "it is not UTF-8");
  const std::size_t colon = text.find(':');
  std::string_view body = text.substr(colon + 1);
  if (body.empty()) return bad_pattern(text, "nothing after the colon");
  const bool is_file = text.substr(0, colon) == "fs";
  if (is_file && body.front() != '/')
    return bad_pattern(text, "a file pattern begins with its root, as in fs:/workspace/src/**");
  bool more = body != "/" || !is_file;  // fs:/ is the place where the roots are
  for (bool first = true; more; first = false) {
    const std::string_view segment = next_segment(body, more);
    if (segment.empty() && is_file && !first)
      return bad_pattern(text, "an empty segment (a doubled or trailing slash)");
    if (segment == "**" && more) return bad_pattern(text, "`**` stands last");
    if (segment == "..") return bad_pattern(text, "it holds `..`");
    if (is_file && segment == ".") return bad_pattern(text, "it holds `.`");
    if (is_file && !is_escaped_as_ours(segment))
      return bad_pattern(text, fmt::format("`{}` has an escape that no file is written with; only "
                                           "white space, control characters, `*` and `%` are "
                                           "escaped, in capitals, as in my%20file",
                                           base::printable(segment)));
    if (segment != "*" && segment != "**" && segment.find('*') != std::string_view::npos)
      return bad_pattern(
          text, fmt::format("`{}` mixes a wildcard with letters; a wildcard is one whole segment",
                            base::printable(segment)));
    for (const char c : segment)
      if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F)
        return bad_pattern(text,
                           "white space or a control character; write it as %XX, as in my%20file");
  }
  return Pattern(std::string(text));
}

Pattern Pattern::exactly(const Resource& resource) { return Pattern(resource.text()); }

bool Pattern::matches(const Resource& resource) const {
  if (!wildcard_) return text_ == resource.text();
  const std::string_view prefix = literal_prefix();
  if (!std::string_view(resource.text()).starts_with(prefix)) return false;
  if (subtree_)
    return resource.text().size() == prefix.size() || prefix.ends_with(':') ||
           resource.text()[prefix.size()] == '/';
  const std::size_t body = text_.find(':') + 1;
  return compare(std::string_view(text_).substr(body),
                 std::string_view(resource.text()).substr(body), Question::covers);
}

bool Pattern::covers(const Pattern& narrower) const {
  const std::size_t body = text_.find(':') + 1;
  return narrower.text_.starts_with(std::string_view(text_).substr(0, body)) &&
         compare(std::string_view(text_).substr(body),
                 std::string_view(narrower.text_).substr(body), Question::covers);
}

bool Pattern::overlaps(const Pattern& other) const {
  const std::size_t body = text_.find(':') + 1;
  return other.text_.starts_with(std::string_view(text_).substr(0, body)) &&
         compare(std::string_view(text_).substr(body), std::string_view(other.text_).substr(body),
                 Question::overlaps);
}

// Segment by segment the narrower of the two; what has ended meets only a `**`.
std::optional<Pattern> Pattern::intersection(const Pattern& other) const {
  if (!overlaps(other)) return std::nullopt;
  const std::size_t body = text_.find(':') + 1;
  std::string_view a = std::string_view(text_).substr(body);
  std::string_view b = std::string_view(other.text_).substr(body);
  std::string out = text_.substr(0, body);
  for (bool more_a = true, more_b = true, first = true; more_a || more_b; first = false) {
    if (!first && (!more_a || !more_b)) break;  // the other goes on with `**` only
    const std::string_view rest_a = a, rest_b = b;
    const std::string_view segment_a = next_segment(a, more_a);
    const std::string_view segment_b = next_segment(b, more_b);
    if (!first) out += '/';
    if (segment_a == "**") return Pattern(out.append(rest_b));
    if (segment_b == "**") return Pattern(out.append(rest_a));
    out += segment_a == "*" ? segment_b : segment_a;
  }
  return Pattern(std::move(out));
}

}  // namespace alos::abi
