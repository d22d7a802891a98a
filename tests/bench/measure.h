// Measuring: seconds, medians, and the table. Nothing here decides whether a figure is good enough.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace alos::bench {

double now_s();

double median(std::vector<double> values);

// Runs `once` (which returns seconds, or any figure) `times` times.
double median_of(int times, const std::function<double()>& once);

struct Row {
  std::string figure;
  double value = 0;
  std::string unit;
  std::string reach;  // what the issue asks for
  std::string limit;  // the physical limit beside it, measured in the same run
  double limit_value = 0;
  bool higher_is_better = true;
};

std::string human(double value, const std::string& unit);

void print_table(const std::vector<Row>& rows);
void print_json(const std::vector<Row>& rows);

}  // namespace alos::bench
