#include "kernel/schema.h"

#include <fmt/format.h>

#include <exception>

#include <boost/json.hpp>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "base/text.h"

namespace alos::kernel {

namespace {

constexpr std::size_t kSchemaBytesMax = 16 * 1024;

// The first keyword in it that is not taken from agents; empty: none.
std::string_view forbidden_in(const boost::json::value& value) {
  static constexpr std::string_view kForbidden[] = {"$ref", "$dynamicRef", "$recursiveRef",
                                                    "pattern", "patternProperties"};
  if (const auto* items = value.if_array()) {
    for (const boost::json::value& item : *items)
      if (const auto found = forbidden_in(item); !found.empty()) return found;
  } else if (const auto* members = value.if_object()) {
    for (const auto& member : *members) {
      for (const std::string_view word : kForbidden)
        if (std::string_view(member.key()) == word) return word;
      if (const auto found = forbidden_in(member.value()); !found.empty()) return found;
    }
  }
  return {};
}

}  // namespace

base::Result<void> check_own_schema(std::string_view schema) try {
  if (schema.size() > kSchemaBytesMax)
    return base::fail(base::Code::invalid, fmt::format("a schema of {} bytes", schema.size()),
                      fmt::format("at most {}", kSchemaBytesMax));
  const boost::json::value json = boost::json::parse(schema);
  if (!json.is_object())
    return base::fail(base::Code::invalid, "a schema is a JSON object",
                      R"(for example {"type":"object","properties":{"days":{"type":"integer"}}})");
  if (const auto found = forbidden_in(json); !found.empty())
    return base::fail(base::Code::invalid, fmt::format("a schema here has no `{}`", found),
                      "say it with type, enum, properties, required, minimum and the like");
  valijson::Schema compiled;
  valijson::SchemaParser parser;
  parser.populateSchema(valijson::adapters::BoostJsonAdapter(json), compiled);
  return {};
} catch (const std::exception& error) {
  return base::fail(base::Code::invalid,
                    fmt::format("the schema cannot be read: {}", base::printable(error.what())));
}

base::Result<void> check_schema(std::string_view schema, std::string_view value) try {
  const boost::json::value schema_json = boost::json::parse(schema);
  const boost::json::value value_json = boost::json::parse(value);
  valijson::Schema compiled;
  valijson::SchemaParser parser;
  parser.populateSchema(valijson::adapters::BoostJsonAdapter(schema_json), compiled);
  valijson::Validator validator(valijson::Validator::kStrongTypes);
  valijson::ValidationResults results;
  if (validator.validate(compiled, valijson::adapters::BoostJsonAdapter(value_json), &results))
    return {};
  std::string place = "the value", why = "it is not as the schema says";
  valijson::ValidationResults::Error error;
  if (results.popError(error)) {
    why = error.description;
    std::string path;
    for (const std::string& part : error.context) path += part;
    if (!path.empty()) place = path;
  }
  return base::fail(base::Code::invalid,
                    fmt::format("{}: {}", base::printable(place), base::printable(why)));
} catch (const std::exception& error) {
  return base::fail(base::Code::invalid, fmt::format("the schema or the value cannot be read: {}",
                                                     base::printable(error.what())));
}

}  // namespace alos::kernel
