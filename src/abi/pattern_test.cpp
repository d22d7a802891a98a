// Patterns cover whole segments; covers and overlaps agree with a count over a small world.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>
#include <vector>

#include "abi/grant.h"

namespace alos::abi::test {
namespace {

using base::Code;
using base::Path;

Pattern pattern(std::string_view text) {
  auto parsed = Pattern::from_text(text);
  EXPECT_TRUE(parsed.has_value()) << text << ": " << parsed.error().what;
  return parsed ? *parsed : Pattern();
}

Resource resource(std::string_view text) { return Resource::from_text(text).value(); }

TEST(Pattern, MatchesBySegments) {
  struct Row {
    std::string_view pattern, resource;
    bool match;
  };
  const std::vector<Row> rows{
      {"fs:/w/src/a", "fs:/w/src/a", true},
      {"fs:/w/src/a", "fs:/w/src/a/b", false},
      {"fs:/w/src/a", "fs:/w/src", false},
      {"fs:/w/src/**", "fs:/w/src/a", true},
      {"fs:/w/src/**", "fs:/w/src/a/b/c", true},
      {"fs:/w/src/**", "fs:/w/src", true},  // the place itself
      {"fs:/w/src/**", "fs:/w/src2", false},
      {"fs:/w/src/**", "fs:/w/src2/a", false},
      {"fs:/w/src/**", "fs:/w/sr", false},
      {"fs:/w/src/**", "fs:/w", false},
      {"fs:/w/*", "fs:/w/a", true},
      {"fs:/w/*", "fs:/w", false},
      {"fs:/w/*", "fs:/w/a/b", false},
      {"fs:/w/*/b", "fs:/w/a/b", true},
      {"fs:/w/*/b", "fs:/w/a/c", false},
      {"fs:/w/*/b", "fs:/w/b", false},
      {"fs:/*/x/**", "fs:/w/x", true},
      {"fs:/*/x/**", "fs:/w/x/y/z", true},
      {"fs:/*/x/**", "fs:/w/y", false},
      {"fs:/**", "fs:/", true},
      {"fs:/**", "fs:/w", true},
      {"fs:/**", "fs:/w/a/b", true},
      {"fs:/", "fs:/", true},
      {"fs:/", "fs:/w", false},
      {"fs:/**", "object:7.1/a", false},  // another scheme
      {"object:7.1/**", "object:7.1/notes", true},
      {"object:7.1/**", "object:7.1/", true},  // the list of them
      {"object:7.1/**", "object:7.10/notes", false},
      {"object:7.1/*", "object:7.1/a/b", false},
      {"shell:*", "shell:git", true},
      {"shell:*", "shell:", true},
      {"shell:*", "shell:a/b", false},
      {"human:**", "human:owner", true},
      {"human:owner", "human:owner2", false},
      {"net:https://api.github.com/**", "net:https://api.github.com/repos", true},
      {"net:https://api.github.com/**", "net:https://api.github.com.evil.org/repos", false},
      {"net:https://*/x", "net:https://host/x", true},
      {"model:openai/*", "model:openai/gpt-5", true},
      {"model:script:/**", "model:script:/tmp/turns.jsonl", true},
      {"fs:/w/my%20file", "fs:/w/my%20file", true},
      {"fs:/w/%2A%2A", "fs:/w/a", false},  // an escaped name is no wildcard
      {"fs:/w/%2A%2A", "fs:/w/%2A%2A", true},
      {"fs:/W/a", "fs:/w/a", false},
  };
  for (const Row& row : rows)
    EXPECT_EQ(pattern(row.pattern).matches(resource(row.resource)), row.match)
        << row.pattern << " | " << row.resource;
}

TEST(Pattern, RefusesWhatIsNone) {
  struct Row {
    std::string_view text, what;
  };
  const std::vector<Row> rows{{"", "no scheme"},
                              {"/workspace", "no scheme"},
                              {"file:/w", "no scheme `file`"},
                              {"humn:owner", "did you mean `human`?"},
                              {"FS:/w", "no scheme `FS`"},
                              {"fs:", "nothing after the colon"},
                              {"human:", "nothing after the colon"},
                              {"fs:workspace/**", "begins with its root"},
                              {"fs:**", "begins with its root"},
                              {"fs:/w//a", "doubled or trailing slash"},
                              {"fs:/w/", "doubled or trailing slash"},
                              {"fs://", "doubled or trailing slash"},
                              {"fs:/w/../etc", "`..`"},
                              {"object:7.1/..", "`..`"},
                              {"fs:/**/a", "`**` stands last"},
                              {"fs:/w/**/**", "`**` stands last"},
                              {"fs:/w/*.cc", "mixes a wildcard"},
                              {"fs:/w/***", "mixes a wildcard"},
                              {"shell:git*", "mixes a wildcard"},
                              {"fs:/w/a b", "white space"},
                              {"fs:/w/a\nb", "white space"},
                              {std::string_view("fs:/w/a\0b", 9), "white space"},
                              {"fs:/w/\x7f", "white space"}};
  for (const Row& row : rows) {
    const auto bad = Pattern::from_text(row.text);
    ASSERT_FALSE(bad.has_value()) << row.text;
    EXPECT_EQ(bad.error().code, Code::invalid);
    EXPECT_NE(bad.error().what.find(row.what), std::string::npos)
        << row.text << " says: " << bad.error().what;
    EXPECT_NE(bad.error().details.find("SCHEME:BODY"), std::string::npos) << "no way out";
  }
}

TEST(Pattern, TheMoreSpecificHasTheGreaterNumber) {
  struct Row {
    std::string_view more, less;
  };
  const std::vector<Row> rows{{"fs:/w/src/a", "fs:/w/src/*"}, {"fs:/w/src/*", "fs:/w/src/**"},
                              {"fs:/w/src/**", "fs:/w/**"},   {"fs:/w/**", "fs:/*/**"},
                              {"fs:/*/**", "fs:/**"},         {"fs:/w/*", "fs:/*/src"},
                              {"fs:/w/src", "fs:/w/src/**"},  {"fs:/w/*/a", "fs:/w/*/*"},
                              {"fs:/w/src/**", "fs:/w/*/a"},  {"fs:/w/*/**", "fs:/w/**"},
                              {"human:owner", "human:*"},     {"human:*", "human:**"}};
  for (const Row& row : rows)
    EXPECT_GT(pattern(row.more).specificity(), pattern(row.less).specificity())
        << row.more << " | " << row.less;
  EXPECT_EQ(pattern("fs:/w/*").specificity(), pattern("fs:/v/*").specificity());
}

TEST(Pattern, LiteralPrefixIsTheTextBeforeTheFirstWildcard) {
  struct Row {
    std::string_view pattern, prefix;
    bool wildcard;
  };
  const std::vector<Row> rows{{"fs:/w/src/**", "fs:/w/src", true},
                              {"fs:/**", "fs:", true},
                              {"fs:/*/x", "fs:", true},
                              {"fs:/w/a", "fs:/w/a", false},
                              {"shell:*", "shell:", true},
                              {"human:owner", "human:owner", false},
                              {"object:7.1/**", "object:7.1", true}};
  for (const Row& row : rows) {
    EXPECT_EQ(pattern(row.pattern).literal_prefix(), row.prefix);
    EXPECT_EQ(pattern(row.pattern).has_wildcard(), row.wildcard) << row.pattern;
  }
}

// A small world: every body of up to four segments over three letters, and every pattern of up to
// three over two of them and the wildcards. The third letter and the fourth segment stand for all
// that no pattern names.
struct World {
  std::vector<Resource> resources;
  std::vector<Pattern> patterns;
  std::vector<std::vector<bool>> matches;  // by pattern, by resource
};

void add_bodies(std::vector<std::string>& out, const std::string& before, std::size_t left,
                std::initializer_list<const char*> letters) {
  for (const char* letter : letters) {
    const std::string body = before + letter;
    out.push_back(body);
    if (left > 1 && std::string_view(letter) != "**")
      add_bodies(out, body + '/', left - 1, letters);
  }
}

const World& world() {
  static const World made = [] {
    World out;
    std::vector<std::string> bodies, shapes;
    add_bodies(bodies, "object:", 4, {"a", "b", "c"});
    add_bodies(shapes, "object:", 3, {"a", "b", "*", "**"});
    for (const std::string& body : bodies) out.resources.push_back(resource(body));
    for (const std::string& shape : shapes) out.patterns.push_back(pattern(shape));
    for (const Pattern& one : out.patterns) {
      auto& row = out.matches.emplace_back();
      for (const Resource& place : out.resources) row.push_back(one.matches(place));
    }
    return out;
  }();
  return made;
}

// The same question, asked of segments the slow way.
bool matches_slowly(std::vector<std::string> pattern, std::vector<std::string> place) {
  if (pattern.empty()) return place.empty();
  if (pattern.front() == "**") return true;
  if (place.empty() || (pattern.front() != "*" && pattern.front() != place.front())) return false;
  return matches_slowly({pattern.begin() + 1, pattern.end()}, {place.begin() + 1, place.end()});
}

std::vector<std::string> segments(std::string_view text) {
  std::vector<std::string> out(1);
  for (const char c : text.substr(text.find(':') + 1)) {
    if (c == '/')
      out.emplace_back();
    else
      out.back() += c;
  }
  return out;
}

TEST(Pattern, MatchesAsTheSlowWayDoes) {
  const World& w = world();
  ASSERT_EQ(w.patterns.size(), 52U);
  ASSERT_EQ(w.resources.size(), 120U);
  for (std::size_t p = 0; p < w.patterns.size(); ++p)
    for (std::size_t r = 0; r < w.resources.size(); ++r)
      ASSERT_EQ(w.matches[p][r],
                matches_slowly(segments(w.patterns[p].text()), segments(w.resources[r].text())))
          << w.patterns[p].text() << " | " << w.resources[r].text();
}

TEST(Pattern, CoversAndOverlapsAgreeWithTheWorld) {
  const World& w = world();
  std::size_t covering = 0, overlapping = 0;
  for (std::size_t a = 0; a < w.patterns.size(); ++a) {
    for (std::size_t b = 0; b < w.patterns.size(); ++b) {
      bool covers = true, overlaps = false;
      for (std::size_t r = 0; r < w.resources.size(); ++r) {
        covers = covers && (w.matches[a][r] || !w.matches[b][r]);
        overlaps = overlaps || (w.matches[a][r] && w.matches[b][r]);
      }
      // `*/**` and `**` are the same places, as every body has a segment; saying no there is safe.
      const bool same_anyhow =
          w.patterns[a].text() == "object:*/**" && w.patterns[b].text() == "object:**";
      if (!same_anyhow) {
        ASSERT_EQ(w.patterns[a].covers(w.patterns[b]), covers)
            << w.patterns[a].text() << " covers " << w.patterns[b].text();
      }
      ASSERT_EQ(w.patterns[a].overlaps(w.patterns[b]), overlaps)
          << w.patterns[a].text() << " overlaps " << w.patterns[b].text();
      covering += covers ? 1 : 0;
      overlapping += overlaps ? 1 : 0;
    }
  }
  EXPECT_GT(covering, 52U);
  EXPECT_LT(covering, overlapping);
  EXPECT_LT(overlapping, w.patterns.size() * w.patterns.size());
}

TEST(Pattern, OfTwoThatMatchTheNarrowerIsMoreSpecific) {
  const World& w = world();
  for (const Pattern& a : w.patterns)
    for (const Pattern& b : w.patterns)
      if (a.covers(b) && !b.covers(a)) {
        ASSERT_GT(b.specificity(), a.specificity()) << b.text() << " in " << a.text();
      }
}

TEST(Pattern, SchemesDoNotMix) {
  EXPECT_FALSE(pattern("human:**").covers(pattern("model:**")));
  EXPECT_FALSE(pattern("human:**").overlaps(pattern("model:**")));
  EXPECT_TRUE(pattern("human:**").covers(pattern("human:*")));
}

TEST(Resource, EscapesWhatAPatternCouldReadOtherwise) {
  struct Row {
    std::string name;
    std::string_view text;
  };
  const std::vector<Row> rows{{"plain", "object:7.1/plain"},
                              {"my file", "object:7.1/my%20file"},
                              {"100%", "object:7.1/100%25"},
                              {"%20", "object:7.1/%2520"},
                              {"*", "object:7.1/%2A"},
                              {"**", "object:7.1/%2A%2A"},
                              {"a\nb\tc", "object:7.1/a%0Ab%09c"},
                              {std::string("a\0b", 3), "object:7.1/a%00b"},
                              {"\x7f", "object:7.1/%7F"},
                              {"\xc3\xbc", "object:7.1/\xc3\xbc"},
                              {"a/b", "object:7.1/a/b"},
                              {"", "object:7.1/"},
                              {"..", "object:7.1/%2E%2E"},
                              {"a/../b", "object:7.1/a/%2E%2E/b"},
                              {"...", "object:7.1/..."},
                              {"a..", "object:7.1/a.."}};
  std::set<std::string> seen;
  for (const Row& row : rows) {
    const Resource made = Resource::object("7.1", row.name);
    EXPECT_EQ(made.text(), row.text);
    EXPECT_TRUE(seen.insert(made.text()).second) << "two names, one resource: " << made.text();
  }
  EXPECT_EQ(Resource::file(Path::parse("/w/a b").value()).text(), "fs:/w/a%20b");
  EXPECT_EQ(Resource::file(Path()).text(), "fs:/");
  EXPECT_EQ(Resource::human("owner").text(), "human:owner");
  EXPECT_EQ(Resource::model("openai/gpt-5").text(), "model:openai/gpt-5");
  EXPECT_EQ(Resource::clock("sleep").text(), "clock:sleep");
  EXPECT_EQ(Resource::process({base::JobId{7}, 3}).text(), "process:7.3");
}

TEST(Resource, FromARecordKeepsItsForm) {
  EXPECT_TRUE(Resource::from_text("fs:/w/a%20b").has_value());
  for (const std::string_view bad : {"", "w", "file:/w", ":x"})
    EXPECT_FALSE(Resource::from_text(bad).has_value()) << bad;
}

// An approval grants exactly the resource that was asked for, and its record must be readable for
// ever.
void expect_readable(const Resource& made) {
  const Pattern exact = Pattern::exactly(made);
  RC_ASSERT(exact.matches(made));
  RC_ASSERT(!exact.has_wildcard());
  const Grant grant{{Right::read}, exact, {}, {}, {}, {}};
  const auto back = Grant::from_text(grant.to_text());
  RC_ASSERT(back.has_value());
  RC_ASSERT(*back == grant);
  RC_ASSERT(Resource::from_text(made.text()).value() == made);
}

RC_GTEST_PROP(Resource, AnythingACallCanNameCanBeGrantedExactly, ()) {
  static constexpr std::array<std::string_view, 12> kPieces{
      "/", "..", ".", "*", "**", " ", "%", "\n", "a", ":", "\xc3\xbc", "\x7f"};
  std::string name;
  for (int i = *rc::gen::inRange(0, 8); i > 0; --i)
    name += kPieces[*rc::gen::inRange<std::size_t>(0, kPieces.size())];
  expect_readable(Resource::object("7.1", name));
  expect_readable(Resource::object(name, "x"));
  expect_readable(Resource::human(name));
  expect_readable(Resource::model(name));
  if (const auto path = Path::parse("/" + name)) expect_readable(Resource::file(*path));
}

TEST(Resource, TheLongestPathCanBeGrantedExactly) {
  std::string text;
  while (text.size() + 256 <= base::kPathBytesMax) text += '/' + std::string(255, ' ');
  const auto path = Path::parse(text);
  ASSERT_TRUE(path.has_value());
  const Resource made = Resource::file(*path);
  EXPECT_EQ(Pattern::from_text(made.text()).value(), Pattern::exactly(made));
}

}  // namespace
}  // namespace alos::abi::test
