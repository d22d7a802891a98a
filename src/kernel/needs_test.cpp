#include <gtest/gtest.h>

#include "core/decide.h"
#include "kernel/looking.h"

namespace alos::kernel {
namespace {

abi::Grant grant(const std::string& text) {
  auto parsed = abi::Grant::from_text(text);
  EXPECT_TRUE(parsed) << text;
  return *parsed;
}

struct Row {
  std::vector<std::string> grants;
  std::string need;
  std::string state;
  std::string missing;
  std::vector<std::string> except;
  std::vector<std::string> standing;
};

TEST(Needs, AreDecidedBeforeTheRun) {
  for (const Row& row : {
           Row{{}, "read fs:/w/**", "unmet", "read fs:/w/**", {}, {}},
           Row{{"read,list fs:/w/**"}, "read fs:/w/src/**", "granted", "", {}, {}},
           Row{{"read fs:/w/**"}, "read,write fs:/w/**", "unmet", "write fs:/w/**", {}, {}},
           Row{{"read fs:/w/src/**"}, "read fs:/w/**", "unmet", "read fs:/w/**", {}, {}},
           Row{{"write fs:/w/** ask"}, "write fs:/w/a", "asked", "", {}, {}},
           Row{{"write fs:/w/** ask", "write fs:/w/src/**"},
               "write fs:/w/src/**",
               "granted",
               "",
               {},
               {}},
           Row{{"write fs:/w/**", "write fs:/w/** ask"}, "write fs:/w/a", "asked", "", {}, {}},
           Row{{"read fs:/w/**", "read fs:/w/.env deny"},
               "read fs:/w/**",
               "granted",
               "",
               {"read fs:/w/.env deny"},
               {}},
           Row{{"read fs:/w/**", "read fs:/w/** deny"}, "read fs:/w/a", "denied", "", {}, {}},
           Row{{"write fs:/w/**", "write fs:/w/src/** ask"},
               "write fs:/w/**",
               "granted",
               "",
               {"write fs:/w/src/** ask"},
               {}},
           Row{{"write fs:/w/** delegate-only"}, "write fs:/w/a", "unmet", "write fs:/w/a", {}, {}},
           Row{{"write fs:/w/** bytes<=64K"}, "write fs:/w/a", "unmet", "write fs:/w/a", {}, {}},
           // No wildcard covers a trapdoor.
           Row{{"write fs:/w/**"},
               "write fs:/w/.git/hooks/pre-commit",
               "unmet",
               "write fs:/w/.git/hooks/pre-commit",
               {},
               {}},
           Row{{"write fs:/w/.git/hooks/**"},
               "write fs:/w/.git/hooks/pre-commit",
               "granted",
               "",
               {},
               {}},
           // A policy answers what is asked, and nothing else.
           Row{{"write fs:/w/** ask"}, "write fs:/w/a", "answered", "", {}, {"write fs:/w/a"}},
           Row{{"write fs:/w/** ask"},
               "write fs:/w/a",
               "denied",
               "",
               {},
               {"write fs:/w/a", "write fs:/w/** deny"}},
           Row{{}, "write fs:/w/a", "unmet", "write fs:/w/a", {}, {"write fs:/w/a"}},
       }) {
    Plan plan;
    plan.trapdoors = core::builtin_trapdoors();
    for (const std::string& text : row.grants) plan.grants.push_back({grant(text), "manifest"});
    std::vector<Standing> standing;
    for (const std::string& text : row.standing) standing.push_back({grant(text), "policy:store"});
    const NeedView view = view_of_need(grant(row.need), row.need, plan, standing);
    EXPECT_EQ(view.state, row.state) << row.need << " by " << view.by;
    EXPECT_EQ(view.missing, row.missing) << row.need;
    EXPECT_EQ(view.except, row.except) << row.need;
    EXPECT_EQ(view.by.empty(), row.state == "unmet") << row.need;
  }
}

}  // namespace
}  // namespace alos::kernel
