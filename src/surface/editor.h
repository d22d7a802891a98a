// Editor: a text handed to the person's $EDITOR, and back.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"

namespace alos::surface {

// The command of $VISUAL or $EDITOR; nothing when neither is set.
std::optional<std::string> editor_command();

// Errors: `unavailable` (no place for the file, the command failed).
base::Result<std::string> edited_text(const std::string& command, const std::string& text);

}  // namespace alos::surface
