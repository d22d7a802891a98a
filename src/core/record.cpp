#include "core/record.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"

namespace alos::core {
namespace {

using base::Code;
using base::fail;
using base::Reader;
using base::Result;

template <typename List>
struct Kinds;
template <typename... B>
struct Kinds<std::variant<B...>> {
  using Decode = Result<Body> (*)(Reader);

  template <typename One>
  static Result<Body> decode_one(Reader in) {
    One body{};
    TRY(base::decode(in, body));
    return Body(std::move(body));
  }

  static constexpr std::array<std::string_view, sizeof...(B)> names{B::kKind...};
  static constexpr std::array<Decode, sizeof...(B)> decoders{&decode_one<B>...};
};
using AllKinds = Kinds<Body>;

template <typename T>
Result<T> take(Reader in, std::string_view name) {
  const auto field = in.field(name);
  if (!field) return base::missing_field(nullptr, name);
  T value{};
  const base::Where where{nullptr, name};
  TRY(base::decode(*field, value, &where));
  return value;
}

Result<Record> read_record(Reader in) {
  Record record;
  record.job = TRY(take<base::JobId>(in, "job"));
  record.seq = TRY(take<base::Seq>(in, "seq"));
  record.at = TRY(take<base::Time>(in, "at"));
  const base::Pid pid = TRY(take<base::Pid>(in, "pid"));
  if (pid.job != record.job) return fail(Code::corrupt, "its pid is of another job");
  record.process = pid.number;
  record.cause = TRY(take<base::Seq>(in, "cause"));
  const std::string kind = TRY(take<std::string>(in, "kind"));
  const auto body = in.field("body");
  if (!body) return base::missing_field(nullptr, "body");
  for (std::size_t i = 0; i < AllKinds::names.size(); ++i) {
    if (AllKinds::names[i] != kind) continue;
    record.body = TRY(AllKinds::decoders[i](*body));
    return record;
  }
  return fail(Code::corrupt, fmt::format("kind `{}` is not known", base::printable(kind)),
              "it may be of a newer alos");
}

}  // namespace

std::string_view kind_of(const Record& record) {
  return std::visit([](const auto& body) { return body.kKind; }, record.body);
}

void append_canonical(std::string& out, const Record& record) {
  out += "{\"job\":";
  base::append_number(out, record.job.value);
  out += ",\"seq\":";
  base::append_number(out, record.seq);
  out += ",\"at\":\"";
  base::append_time(out, record.at);
  ((out += "\",\"kind\":\"") += kind_of(record)) += "\",\"pid\":\"";
  base::append_number(out, record.job.value);
  out += '.';
  base::append_number(out, std::uint64_t{record.process});
  out += "\",\"cause\":";
  base::append_number(out, record.cause);
  out += ",\"body\":";
  std::visit([&](const auto& body) { base::encode(out, body); }, record.body);
  out += '}';
}

Result<Record> parse_record(std::string_view line) {
  const auto document = base::Document::parse(line, base::Source::journal);
  Result<Record> record =
      document ? read_record(document->root()) : Result<Record>(base::Unexpected(document.error()));
  if (!record)
    return fail(Code::corrupt,
                fmt::format("a record cannot be read: {} (in `{}`)", record.error().what,
                            base::printable(base::shortened(line, 120))),
                "restore the store from a backup; `alos store check` lists what is damaged");
  return record;
}

}  // namespace alos::core
