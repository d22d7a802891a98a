#include "surface/approve.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"
#include "surface/yaml.h"

namespace alos::surface {

using base::Code;
using base::fail;
using base::Result;
using kernel::Answer;
using kernel::RequestView;

namespace {

constexpr std::array<std::string_view, 5> kRuleKeys{"approve", "deny", "answer", "scope",
                                                    "question"};

// What a rule can say: an answer has its own uses and time, and a request does not tell the facts
// that other conditions look at.
bool is_kept(const abi::Grant& rule) {
  using abi::ConditionKind;
  return rule.effect == abi::GrantEffect::allow && !rule.uses && !rule.until &&
         rule.delegation == abi::Delegation::none && rule.asking == abi::Asking{} &&
         std::all_of(rule.conditions.begin(), rule.conditions.end(), [](const auto& one) {
           return one.kind == ConditionKind::name || one.kind == ConditionKind::under;
         });
}

// They look at the very resource; `doubt` is what holds of a pattern.
bool conditions_hold(const abi::Grant& rule, const abi::Pattern& asked,
                     abi::Condition::Doubt doubt) {
  const auto resource = abi::Resource::from_text(asked.text());
  if (asked.has_wildcard() || !resource)
    return rule.conditions.empty() || doubt == abi::Condition::Doubt::holds;
  const abi::Need need{*resource, abi::Right::read, abi::Reach::exact, {}};
  return std::all_of(rule.conditions.begin(), rule.conditions.end(),
                     [&](const abi::Condition& one) { return one.holds(need, doubt); });
}

// New authority, with all that it is given with.
bool is_named_by(const abi::Grant& rule, const abi::Grant& asked) {
  abi::Grant same = rule;
  same.rights = asked.rights;
  return rule.rights.has_all(asked.rights) && same == asked;
}

Answer yes_to(const RequestView& request) {
  if (request.kind != "question") return {.kind = Answer::Kind::approve, .by = "policy:allow"};
  return {.kind = Answer::Kind::answer,
          .text = request.choices.empty() ? "yes" : request.choices.front(),
          .by = "policy:allow"};
}

}  // namespace

Result<ApprovePolicy> ApprovePolicy::from_option(const std::optional<std::string>& option) {
  ApprovePolicy policy;
  if (!option || *option == "ask") return policy;
  if (*option == "allow" || *option == "deny") {
    policy.mode_ = *option == "allow" ? Mode::allow : Mode::deny;
    return policy;
  }
  auto text = read_whole_file(*option, kYamlBytesMax);
  if (!text)
    return fail(text.error().code,
                fmt::format("--approve {}: {}", base::printable(*option), text.error().what),
                "it is ask, allow, deny, or a YAML file of rules");
  return parse_rules(*text, *option);
}

Result<ApprovePolicy::Rule> ApprovePolicy::parse_rule(const Yaml& yaml, const std::string& name) {
  const YamlMap map = TRY(YamlMap::of(yaml, name, "a rule", kRuleKeys));
  std::optional<std::string> approve, deny, answer, scope, question;
  TRY(map.text("approve", approve));
  TRY(map.text("deny", deny));
  TRY(map.text("answer", answer));
  TRY(map.text("scope", scope));
  TRY(map.text("question", question));
  if ((approve ? 1 : 0) + (deny ? 1 : 0) + (answer ? 1 : 0) != 1)
    return fail(Code::invalid, fmt::format("{}:{}: a rule has one of `approve`, `deny`, `answer`",
                                           base::printable(name), yaml.line));
  if (question && !answer)
    return map.at(yaml.line, "question", {Code::invalid, "it belongs to `answer`", ""});
  if (scope && !approve)
    return map.at(yaml.line, "scope", {Code::invalid, "it belongs to `approve`", ""});
  if (scope && *scope != "once" && *scope != "process")
    return map.at(
        yaml.line, "scope",
        {Code::invalid,
         fmt::format("`{}` is neither `once` nor `process`", base::printable(*scope)), ""});
  Rule rule;
  rule.kind = approve ? Rule::Kind::approve : deny ? Rule::Kind::deny : Rule::Kind::answer;
  if (answer) {
    rule.text = *answer;
    rule.question = question.value_or("");
    return rule;
  }
  auto grant = abi::Grant::from_text(approve ? *approve : *deny);
  if (!grant) return map.at(yaml.line, approve ? "approve" : "deny", grant.error());
  if (!is_kept(*grant))
    return map.at(yaml.line, approve ? "approve" : "deny",
                  {Code::invalid, "a rule has rights, a resource, name= and under=, and no more",
                   "uses=, until=, delegate and what a call carries belong to a grant, or to a "
                   "person's answer"});
  rule.grant = std::move(*grant);
  if (scope && *scope == "process") rule.scope = Answer::Scope::process;
  return rule;
}

Result<ApprovePolicy> ApprovePolicy::parse_rules(const std::string& text, const std::string& name) {
  const Yaml root = TRY(Yaml::parse(text, name));
  ApprovePolicy policy;
  policy.mode_ = Mode::rules;
  if (root.kind == Yaml::Kind::null) return policy;  // no rules: everything is denied
  if (root.kind != Yaml::Kind::list)
    return fail(Code::invalid,
                fmt::format("{}:{}: approval rules are a list", base::printable(name), root.line),
                "each begins with - approve:, - deny: or - answer:");
  for (const Yaml& item : root.items) policy.rules_.push_back(TRY(parse_rule(item, name)));
  return policy;
}

const ApprovePolicy::Rule* ApprovePolicy::rule_for(const RequestView& request,
                                                   const abi::Grant& asked) const {
  for (const Rule& rule : rules_) {
    // New authority is given only by a rule that names it as it is: a wildcard would take in
    // trapdoors and whatever else nobody thought of. What a grant says to ask about has passed
    // those already.
    const bool approves =
        request.kind == "grant"
            ? is_named_by(rule.grant, asked)
            : rule.grant.rights.has_all(asked.rights) &&
                  rule.grant.resource.covers(asked.resource) &&
                  conditions_hold(rule.grant, asked.resource, abi::Condition::Doubt::refuses);
    if (rule.kind == Rule::Kind::approve && approves) return &rule;
    if (rule.kind == Rule::Kind::deny && rule.grant.rights.intersects(asked.rights) &&
        rule.grant.resource.overlaps(asked.resource) &&
        conditions_hold(rule.grant, asked.resource, abi::Condition::Doubt::holds))
      return &rule;
  }
  return nullptr;
}

Answer ApprovePolicy::by_rules(const RequestView& request) const {
  const auto no = [](std::string why) {
    return Answer{.kind = Answer::Kind::deny, .text = std::move(why), .by = "policy:rules"};
  };
  if (request.kind == "question") {
    for (const Rule& rule : rules_)
      if (rule.kind == Rule::Kind::answer &&
          request.question.find(rule.question) != std::string::npos)
        return {.kind = Answer::Kind::answer, .text = rule.text, .by = "policy:rules"};
    return no("no rule answers this question");
  }
  if (request.budget) return no("no rule gives more budget");
  Answer yes{.kind = Answer::Kind::approve, .scope = Answer::Scope::process, .by = "policy:rules"};
  for (const std::string& text : request.asks) {
    const auto asked = abi::Grant::from_text(text);
    const Rule* rule = asked ? rule_for(request, *asked) : nullptr;
    if (rule == nullptr) return no(fmt::format("no rule approves {}", text));
    if (rule->kind == Rule::Kind::deny)
      return no(fmt::format("a rule denies {}", rule->grant.to_text()));
    if (rule->scope == Answer::Scope::once) yes.scope = Answer::Scope::once;
  }
  return request.asks.empty() ? no("it does not say what it needs") : yes;
}

std::optional<Answer> ApprovePolicy::answer(const RequestView& request) const {
  switch (mode_) {
    case Mode::ask: return std::nullopt;
    case Mode::allow:  // but more to spend only by a person's word
      return request.budget ? std::nullopt : std::optional(yes_to(request));
    case Mode::deny:
      return Answer{.kind = Answer::Kind::deny,
                    .text = "the run was started with --approve deny",
                    .by = "policy:deny"};
    case Mode::rules: return by_rules(request);
  }
  return std::nullopt;
}

}  // namespace alos::surface
