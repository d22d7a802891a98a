// Prompt: what a person at the terminal is shown of a request, and what a line they type means.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/kernel.h"
#include "surface/output.h"

namespace alos::surface {

// What else is to be done with an answer: the rule is saved as policy; the call is edited first.
enum class Then : std::uint8_t { nothing, save, edit };

// One of the things that can be said to an approval, and what it will remember.
struct Choice {
  std::string key;   // one letter; case counts
  std::string word;  // the same, written out
  std::string what;  // printable
  kernel::Answer answer;
  Then then = Then::nothing;
};

std::vector<Choice> choices_of(const kernel::RequestView& request);

// `line`: the asking process and its ancestors, the root first. All that agents wrote is escaped,
// and no line is longer than a person reads.
std::string prompt_text(const Style& style, const kernel::RequestView& request,
                        const std::vector<kernel::ProcessView>& line, base::Time now);

// What an approval is about: the call's name, and what it would do; each line printable.
std::string call_text(const Style& style, const kernel::RequestView& request);

// A right over a resource or pattern as people say it: write anything under fs:/workspace/docs/.
std::string in_words(std::string_view right, std::string_view pattern);

struct Said {
  kernel::Answer answer;
  Then then = Then::nothing;
};

// What a typed line means; nothing for an empty one. Errors are `invalid`: neither a choice nor a
// reason.
base::Result<std::optional<Said>> understood(const kernel::RequestView& request,
                                             const std::string& line, base::Time now);

}  // namespace alos::surface
