// usage: bench [--json] [--only NAME]...
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <string_view>

#include "figures.h"

namespace alos::bench {
namespace {

int run(int argc, char** argv) {
  const std::string self = std::filesystem::canonical("/proc/self/exe").string();
  if (argc == 4 && std::string_view(argv[1]) == "--hang")
    return fill_and_hang(argv[2], std::atoi(argv[3]));
  bool json = false;
  std::set<std::string_view> only;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg == "--json")
      json = true;
    else if (arg == "--only" && i + 1 < argc)
      only.insert(argv[++i]);
    else
      return fmt::print(stderr,
                        "usage: bench [--json] [--only "
                        "ps|decide|derive|objects|reads|writes|turns|journal|size|recovery|"
                        "processes]...\n"),
             5;
  }
  std::vector<Row> rows;
  for (const Figure& figure : figures()) {
    if (!only.empty() && !only.contains(figure.name)) continue;
    fmt::print(stderr, "measuring {} ...\n", figure.name);
    for (Row& row : figure.measure(self)) rows.push_back(std::move(row));
  }
  json ? print_json(rows) : print_table(rows);
  return 0;
}

}  // namespace
}  // namespace alos::bench

int main(int argc, char** argv) { return alos::bench::run(argc, argv); }
