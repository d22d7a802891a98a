// The figures of the issue, each measured over the real kernel.
#pragma once

#include "measure.h"

namespace alos::bench {

struct Figure {
  const char* name;                                      // for --only
  std::vector<Row> (*measure)(const std::string& self);  // `self`: this program
};
const std::vector<Figure>& figures();

// What the program does when it is started to be killed: starts `jobs` processes whose model never
// answers, says so on stdout, and waits.
int fill_and_hang(const std::string& dir, int jobs);

}  // namespace alos::bench
