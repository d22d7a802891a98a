// Conditions: what of a call a grant covers besides its resource.
#include <fmt/format.h>

#include <algorithm>

#include "abi/grant.h"

namespace alos::abi {
namespace {

// `*` stands for any run of characters.
bool is_like(std::string_view text, std::string_view shape) {
  std::size_t t = 0, s = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (s < shape.size() && shape[s] == '*') {
      star = s++;
      mark = t;
    } else if (s < shape.size() && shape[s] == text[t]) {
      ++s, ++t;
    } else if (star != std::string_view::npos) {
      s = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  return shape.find_first_not_of('*', s) == std::string_view::npos;
}

// Whether whatever is like `narrow` is like `wide`. Sure of a yes; a no may be too careful.
bool shape_covers(std::string_view wide, std::string_view narrow) {
  return wide == narrow || (narrow.find('*') == std::string_view::npos && is_like(narrow, wide)) ||
         wide == "*";
}

// The last segment as the name it is, without the escapes of a resource's text.
std::string last_segment(std::string_view resource) {
  const std::string_view body = resource.substr(resource.find(':') + 1);
  const auto name = unescaped(body.substr(body.rfind('/') + 1));
  return name ? *name : std::string();  // a lone `%` stands for the empty name
}

bool command_fits(const std::vector<std::string>& argv, const std::vector<std::string>& shape) {
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == "**" && i + 1 == shape.size()) return true;
    if (i >= argv.size() || !is_like(argv[i], shape[i])) return false;
  }
  return argv.size() == shape.size();
}

bool command_covers(const std::vector<std::string>& wide, const std::vector<std::string>& narrow) {
  for (std::size_t i = 0; i < wide.size(); ++i) {
    if (wide[i] == "**" && i + 1 == wide.size()) return true;
    if (i >= narrow.size() || (narrow[i] == "**" && i + 1 == narrow.size()) ||
        !shape_covers(wide[i], narrow[i]))
      return false;
  }
  return wide.size() == narrow.size();
}

bool path_covers(std::string_view wide, std::string_view narrow) {
  const auto a = Pattern::from_text(wide), b = Pattern::from_text(narrow);
  return a && b && a->covers(*b);
}

template <typename Values, typename Fits>
bool any(const Values& values, Fits&& fits) {
  return std::any_of(values.begin(), values.end(), fits);
}

}  // namespace

bool Condition::holds(const Need& need, Doubt doubt) const {
  const bool in_doubt = doubt == Doubt::holds;
  switch (kind) {
    case ConditionKind::bytes: return need.facts.bytes ? *need.facts.bytes <= bytes_max : in_doubt;
    case ConditionKind::name:
      return any(values, [&](const std::string& shape) {
        return is_like(last_segment(need.resource.text()), shape);
      });
    case ConditionKind::under:
      return any(values, [&](const std::string& text) {
        const auto pattern = Pattern::from_text(text);
        return pattern && pattern->matches(need.resource);
      });
    case ConditionKind::argv:
      return need.facts.argv ? command_fits(*need.facts.argv, values) : in_doubt;
    case ConditionKind::method:
      return need.facts.method
                 ? any(values, [&](const std::string& one) { return one == *need.facts.method; })
                 : in_doubt;
  }
  return in_doubt;
}

bool Condition::implies(const Condition& wider) const {
  if (kind != wider.kind) return false;
  if (kind == ConditionKind::bytes) return bytes_max <= wider.bytes_max;
  if (kind == ConditionKind::argv) return command_covers(wider.values, values);
  return std::all_of(values.begin(), values.end(), [&](const std::string& mine) {
    return any(wider.values, [&](const std::string& theirs) {
      return kind == ConditionKind::under ? path_covers(theirs, mine) : shape_covers(theirs, mine);
    });
  });
}

std::string Condition::to_text() const {
  if (kind == ConditionKind::bytes) return fmt::format("bytes<={}", bytes_max);
  std::string out = fmt::format("{}=", base::name_of(kind));
  const char between = kind == ConditionKind::argv ? ',' : '|';
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i != 0) out += between;
    // What would end the word or the value is escaped.
    for (const char c : values[i]) {
      if (static_cast<unsigned char>(c) <= 0x20 || c == between || c == '%' || c == 0x7F)
        out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
      else
        out += c;
    }
  }
  return out;
}

bool Grant::fits(const Need& need) const {
  const auto doubt =
      effect == GrantEffect::deny ? Condition::Doubt::holds : Condition::Doubt::refuses;
  return rights.has(need.right) && resource.matches(need.resource) &&
         std::all_of(conditions.begin(), conditions.end(),
                     [&](const Condition& one) { return one.holds(need, doubt); });
}

bool Grant::covers(const Grant& narrower) const {
  return rights.has_all(narrower.rights) && resource.covers(narrower.resource) &&
         std::all_of(conditions.begin(), conditions.end(), [&](const Condition& mine) {
           if (mine.kind == ConditionKind::under && any(mine.values, [&](const std::string& text) {
                 return path_covers(text, narrower.resource.text());
               }))
             return true;
           return any(narrower.conditions,
                      [&](const Condition& theirs) { return theirs.implies(mine); });
         });
}

}  // namespace alos::abi
