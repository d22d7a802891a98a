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
