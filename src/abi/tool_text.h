// How what a tool call came to reads to a model.
#pragma once

#include <string>

#include "base/payload.h"
#include "base/result.h"

namespace alos::abi {

// A value: of an object with a string member `content` that text as it is, then one line with the
// other members as JSON, where there are any; of `{"error":{...}}` the error; a string as it is;
// anything else as JSON.
base::Text text_of(const base::Json& value);

// An error: `error CODE: what (details)`.
std::string text_of(const base::Error& error);

}  // namespace alos::abi
