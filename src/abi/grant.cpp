// A grant's text form.
#include "abi/grant.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace alos::abi {

using base::Code;
using base::fail;
using base::Result;

std::string Grant::to_text() const {
  std::string out = fmt::format("{} {}", rights.to_text(), resource.text());
  if (effect != GrantEffect::allow) out += fmt::format(" {}", base::name_of(effect));
  if (asking.votes > 1) out += fmt::format(" {}", asking.votes);
  if (!asking.of.empty()) out += fmt::format(" of {}", fmt::join(asking.of, ","));
  for (const Condition& condition : conditions) out += ' ' + condition.to_text();
  if (uses) out += fmt::format(" uses={}", *uses);
  if (until) out += fmt::format(" until={}", base::to_string(*until));
  if (asking.within_ms)
    out +=
        fmt::format(" within={}",
                    base::to_string(base::Duration{std::chrono::milliseconds(*asking.within_ms)}));
  if (asking.otherwise_allow) out += " else=allow";
  if (delegation != Delegation::none)
    out += delegation == Delegation::also ? " delegate" : " delegate-only";
  return out;
}

namespace {

constexpr base::Duration kUntilSpanMax = std::chrono::days(36'500);
constexpr std::uint64_t kVotesMax = 32;
constexpr std::size_t kValuesMax = 64;
constexpr std::array<std::string_view, 14> kOptions{
    "ask",     "deny",          "uses=", "until=", "within=", "else=",   "delegate",
    "bytes<=", "delegate-only", "name=", "under=", "argv=",   "method=", "of"};
constexpr std::string_view kOptionsText =
    "after the resource: ask [N of NAMES], deny, uses=N, until=TIME, within=TIME, else=allow, "
    "bytes<=N, name=, under=, argv=, method=, delegate, delegate-only";

Result<Condition> parse_values(ConditionKind kind, std::string_view text) {
  Condition out{kind, 0, {}};
  const char between = kind == ConditionKind::argv ? ',' : '|';
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(between, at), text.size());
    std::string value = TRY(unescaped(text.substr(at, end - at)));
    if (value.empty() || !base::is_utf8(value))
      return fail(Code::invalid, fmt::format("{}= has an empty value", base::name_of(kind)));
    if (kind == ConditionKind::under) value = TRY(Pattern::from_text(value)).text();
    out.values.push_back(std::move(value));
    at = end + 1;
  }
  if (out.values.size() > kValuesMax)
    return fail(Code::invalid,
                fmt::format("{}= has more than {} values", base::name_of(kind), kValuesMax));
  return out;
}

// Takes the words of one option off `words`.
class OptionParser {
 public:
  OptionParser(Grant& grant, std::vector<std::string_view> words, base::Time now)
      : grant_(grant), words_(std::move(words)), now_(now) {}

  Result<void> parse() {
    while (at_ < words_.size()) TRY(one(words_[at_++]));
    return check();
  }

 private:
  // What is said twice could mean either.
  Result<void> once(std::string_view word) {
    const std::string_view key =
        word.starts_with("delegate") ? "delegate" : word.substr(0, word.find('=') + 1);
    if (std::find(said_.begin(), said_.end(), key) != said_.end())
      return fail(Code::invalid, fmt::format("`{}` is said twice", base::printable(key)));
    said_.push_back(key);
    return {};
  }

  Result<void> add(Condition condition) {
    auto& all = grant_.conditions;
    if (std::find(all.begin(), all.end(), condition) != all.end())
      return fail(Code::invalid, fmt::format("`{}` is said twice", condition.to_text()));
    all.push_back(std::move(condition));
    return {};
  }

  Result<void> one(std::string_view word) {
    for (const std::string_view key :
         {"delegate", "uses=", "until=", "within=", "else=", "bytes<="})
      if (word.starts_with(key)) TRY(once(word));
    if (word == "ask" || word == "deny") return effect(word);
    if (word == "delegate" || word == "delegate-only") {
      grant_.delegation = word == "delegate" ? Delegation::also : Delegation::only;
      return {};
    }
    if (word.starts_with("uses=")) {
      grant_.uses = base::parse_unsigned(word.substr(5));
      if (grant_.uses && *grant_.uses != 0) return {};
      return fail(Code::invalid,
                  fmt::format("`{}`: uses is a whole number from 1", base::printable(word)));
    }
    if (word.starts_with("until=")) return until(word);
    if (word.starts_with("within=")) return within(word);
    if (word == "else=allow" || word == "else=deny") {
      grant_.asking.otherwise_allow = word == "else=allow";
      return {};
    }
    if (word.starts_with("bytes<=")) {
      const std::uint64_t bytes_max = TRY(base::parse_bytes(word.substr(7)));
      return add({ConditionKind::bytes, bytes_max, {}});
    }
    for (const auto kind :
         {ConditionKind::name, ConditionKind::under, ConditionKind::argv, ConditionKind::method}) {
      const std::string key = fmt::format("{}=", base::name_of(kind));
      if (!word.starts_with(key)) continue;
      return add(TRY(parse_values(kind, word.substr(key.size()))));
    }
    const std::string_view near = base::nearest(word, kOptions);
    return fail(Code::invalid,
                fmt::format("`{}` is not an option of a grant{}",
                            base::printable(base::shortened(word, 60)),
                            near.empty() ? "" : fmt::format("; did you mean `{}`?", near)),
                std::string(kOptionsText));
  }

  // ask | ask of NAMES | ask N of NAMES | deny
  Result<void> effect(std::string_view word) {
    if (grant_.effect != GrantEffect::allow)
      return fail(Code::invalid, "a grant is `ask` or `deny`, not both");
    grant_.effect = word == "ask" ? GrantEffect::ask : GrantEffect::deny;
    if (word == "deny") return {};
    const bool counted = at_ + 1 < words_.size() && words_[at_ + 1] == "of";
    if (counted) {
      const auto votes = base::parse_unsigned(words_[at_]);
      if (!votes || *votes == 0 || *votes > kVotesMax)
        return fail(
            Code::invalid,
            fmt::format("`ask {} of`: how many people must say yes is a whole number from 1 to {}",
                        base::printable(base::shortened(words_[at_], 20)), kVotesMax));
      grant_.asking.votes = static_cast<std::uint32_t>(*votes);
      ++at_;
    }
    if (at_ < words_.size() && words_[at_] == "of") {
      if (++at_ >= words_.size()) return fail(Code::invalid, "`ask of` names nobody");
      return names(words_[at_++]);
    }
    return {};
  }

  Result<void> names(std::string_view text) {
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find(',', at), text.size());
      const std::string_view name = text.substr(at, end - at);
      const bool plain =
          !name.empty() &&
          name.find_first_not_of(
              "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.@") ==
              std::string_view::npos;
      if (!plain)
        return fail(Code::invalid,
                    fmt::format("`{}` is not a name of a person or a role",
                                base::printable(base::shortened(name, 40))),
                    "letters, digits and _ - . @, separated by commas: ask 2 of owner,ops");
      auto& of = grant_.asking.of;
      if (std::find(of.begin(), of.end(), name) == of.end()) of.emplace_back(name);
      at = end + 1;
    }
    return {};
  }

  Result<void> until(std::string_view word) {
    const auto span = base::parse_duration(word.substr(6));
    if (span && *span > kUntilSpanMax)
      return fail(Code::invalid, fmt::format("`{}` is too far away", base::printable(word)),
                  "at most 36500d");
    if (span && now_ != base::Time{})
      grant_.until = now_ + *span;
    else
      grant_.until = TRY(base::parse_time(word.substr(6)));
    return {};
  }

  Result<void> within(std::string_view word) {
    const base::Duration span = TRY(base::parse_duration(word.substr(7)));
    if (span > kUntilSpanMax || span < std::chrono::milliseconds(1))
      return fail(Code::invalid,
                  fmt::format("`{}` is not from 1ms to 36500d", base::printable(word)));
    grant_.asking.within_ms = static_cast<std::uint64_t>(span.count() / 1000);
    return {};
  }

  Result<void> check() const {
    const Asking& asking = grant_.asking;
    if (grant_.effect == GrantEffect::deny &&
        (grant_.uses || grant_.delegation != Delegation::none))
      return fail(Code::invalid, "a deny has neither uses nor delegation");
    if (grant_.effect == GrantEffect::deny &&
        std::any_of(grant_.conditions.begin(), grant_.conditions.end(),
                    [](const Condition& one) { return one.kind == ConditionKind::bytes; }))
      return fail(Code::invalid, "a deny of what is small denies nothing of what is large",
                  "allow with bytes<=N instead, and nothing beside it");
    if (grant_.effect != GrantEffect::ask && asking != Asking{})
      return fail(Code::invalid, "within= and else= belong to `ask`");
    if (asking.otherwise_allow && !asking.within_ms)
      return fail(Code::invalid,
                  "else= says what holds when within= has passed; it has no within=");
    if (asking.votes > 1 && asking.otherwise_allow)
      return fail(Code::invalid, "what several people must agree on is not allowed by silence",
                  "leave out else=allow");
    return {};
  }

  Grant& grant_;
  std::vector<std::string_view> words_;
  base::Time now_;
  std::size_t at_ = 0;
  std::vector<std::string_view> said_;
};

}  // namespace

Result<Grant> Grant::parse(std::string_view text, base::Time now) {
  std::vector<std::string_view> words;
  for (std::size_t at = text.find_first_not_of(" \t"); at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \t", at), text.size());
    words.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(" \t", end);
  }
  const auto in_grant = [&](const base::Error& error) {
    return fail(
        error.code,
        fmt::format("grant `{}`: {}", base::printable(base::shortened(text, 160)), error.what),
        error.details);
  };
  if (words.size() < 2)
    return in_grant({Code::invalid, "it needs rights and a resource",
                     "for example: read,list fs:/workspace/**"});
  Grant grant;
  auto rights = Rights::from_text(words[0]);
  if (!rights) return in_grant(rights.error());
  grant.rights = *rights;
  auto resource = Pattern::from_text(words[1]);
  if (!resource) return in_grant(resource.error());
  grant.resource = std::move(*resource);
  OptionParser options(grant, {words.begin() + 2, words.end()}, now);
  if (const auto ok = options.parse(); !ok) return in_grant(ok.error());
  return grant;
}

}  // namespace alos::abi
