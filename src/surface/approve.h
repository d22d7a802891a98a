// Approval policy: who answers what a run asks. A person (`ask`), everything yes (`allow`),
// everything no (`deny`), or rules from a file, of which the first that matches wins. A rule has
// rights, a resource, name= and under=; new authority is given only by one that names it as it is.
//
//   - deny: "write fs:/workspace/secrets/**"
//   - approve: "write fs:/workspace/**"
//     scope: process            # or once, the default
//   - answer: "yes"
//     question: deploy          # questions that hold this text; without it: all
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernel/kernel.h"

namespace alos::surface {

class ApprovePolicy {
 public:
  enum class Mode : std::uint8_t { ask, allow, deny, rules };

  // ask, allow, deny, or a file's name. Errors: `invalid` (with FILE:LINE), `not_found`.
  static base::Result<ApprovePolicy> from_option(const std::optional<std::string>& option);
  static base::Result<ApprovePolicy> parse_rules(const std::string& text, const std::string& name);

  Mode mode() const { return mode_; }
  // Nothing when a person is to say.
  std::optional<kernel::Answer> answer(const kernel::RequestView& request) const;

 private:
  struct Rule {
    enum class Kind : std::uint8_t { approve, deny, answer } kind = Kind::deny;
    abi::Grant grant;      // approve, deny
    std::string text;      // answer
    std::string question;  // answer: what the question holds
    kernel::Answer::Scope scope = kernel::Answer::Scope::once;
  };
  static base::Result<Rule> parse_rule(const struct Yaml& yaml, const std::string& name);
  kernel::Answer by_rules(const kernel::RequestView& request) const;
  const Rule* rule_for(const kernel::RequestView& request, const abi::Grant& asked) const;

  Mode mode_ = Mode::ask;
  std::vector<Rule> rules_;
};

}  // namespace alos::surface
