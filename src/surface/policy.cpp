#include "surface/policy.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>

#include "base/json.h"
#include "base/text.h"
#include "surface/commands.h"
#include "surface/table.h"
#include "surface/yaml.h"

namespace alos::surface {

using base::Code;
using base::fail;
using base::Result;

namespace {

constexpr std::array<std::string_view, 3> kPolicyKeys{"alos", "rules", "workspaces"};
constexpr std::array<std::string_view, 2> kPolicyRuleKeys{"allow", "deny"};
constexpr std::string_view kHead =
    "# What people decided for good. It answers what agents must ask, and grants nothing; a deny\n"
    "# wins. Edit it freely; `alos policy` lists it. Running jobs take it when they resume.\n"
    "alos: 1\n";

// The root that a pattern on files names literally; empty for `fs:/*` and its like.
std::string_view root_of(const abi::Pattern& pattern) {
  std::string_view text = pattern.text();
  text.remove_prefix(std::string_view("fs:/").size());
  text = text.substr(0, text.find('/'));
  return text.find('*') == std::string_view::npos ? text : std::string_view{};
}

bool is_on_files(const abi::Pattern& pattern) { return pattern.text().starts_with("fs:/"); }

std::string_view effect_of(const abi::Grant& grant) {
  return grant.effect == abi::GrantEffect::deny ? "deny" : "allow";
}

// The grant as it stands behind `allow:` or `deny:`.
std::string body_of(abi::Grant grant) {
  grant.effect = abi::GrantEffect::allow;
  return grant.to_text();
}

// What is journalled is its text: one that cannot be read again would spoil the whole journal.
bool reads_back(const abi::Grant& grant) {
  const auto again = abi::Grant::from_text(grant.to_text());
  return again && *again == grant;
}

Result<PolicyRule> read_rule(const Yaml& yaml, const std::string& name, std::string_view place) {
  const YamlMap map = TRY(YamlMap::of(yaml, name, "a rule", kPolicyRuleKeys));
  std::optional<std::string> allow, deny;
  TRY(map.text("allow", allow));
  TRY(map.text("deny", deny));
  if (allow.has_value() == deny.has_value())
    return fail(Code::invalid, fmt::format("{}:{}: a rule has one of `allow`, `deny`",
                                           base::printable(name), yaml.line));
  const std::string_view key = allow ? "allow" : "deny";
  auto grant = abi::Grant::from_text(allow ? *allow : *deny);
  if (!grant) return map.at(yaml.line, key, grant.error());
  if (grant->effect != abi::GrantEffect::allow || grant->uses || grant->until ||
      grant->delegation != abi::Delegation::none || grant->asking != abi::Asking{})
    return map.at(yaml.line, key,
                  {Code::invalid, "a rule has rights, a resource and conditions, and no more",
                   "`ask`, `uses`, `until` and `delegate` belong to a manifest's grants"});
  if (!place.empty() && is_on_files(grant->resource) && root_of(grant->resource).empty())
    return map.at(yaml.line, key,
                  {Code::invalid, "a workspace's rule on files names its root",
                   "for example: write fs:/workspace/docs/**"});
  if (deny) grant = abi::Grant::from_text(*deny + " deny");  // by the rules of a deny
  if (!grant) return map.at(yaml.line, key, grant.error());
  if (!reads_back(*grant))
    return map.at(yaml.line, key,
                  {Code::invalid, "the rule does not read back as it was written",
                   "leave out what is unusual in it: " + base::printable(grant->to_text())});
  return PolicyRule{std::move(*grant), yaml.line};
}

Result<std::vector<PolicyRule>> read_rules(const Yaml* yaml, const std::string& name,
                                           std::string_view place) {
  std::vector<PolicyRule> out;
  if (yaml == nullptr || yaml->kind == Yaml::Kind::null) return out;
  if (yaml->kind != Yaml::Kind::list)
    return fail(Code::invalid,
                fmt::format("{}:{}: `{}` is a list of rules", base::printable(name), yaml->line,
                            place.empty() ? "rules" : base::printable(place)),
                "each is `- allow: GRANT` or `- deny: GRANT`");
  for (const Yaml& item : yaml->items) out.push_back(TRY(read_rule(item, name, place)));
  return out;
}

// ---- adding to what a person wrote ----

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

std::size_t indent_of(const std::string& line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

bool says_nothing(const std::string& line) {
  const std::size_t at = line.find_first_not_of(" \t\r");
  return at == std::string::npos || line[at] == '#';
}

std::string rule_line(std::size_t indent, const abi::Grant& rule) {
  return fmt::format("{}- {}: {}", std::string(indent, ' '), effect_of(rule),
                     yaml_quoted(body_of(rule)));
}

// `KEY:` or `KEY: []` on a line of its own becomes one that a list may follow.
bool open_list(std::string& line) {
  const std::size_t end = line.find_last_not_of(" \t\r");
  if (end == std::string::npos) return false;
  if (end >= 1 && line.substr(end - 1, 2) == "[]") {
    line = line.substr(0, line.find_last_not_of(' ', end - 2) + 1);
    return line.ends_with(':');
  }
  return line[end] == ':';
}

// Behind the last item of a list, or into an empty one; false when it is written otherwise.
bool insert_into(std::vector<std::string>& lines, const Yaml& list, const abi::Grant& rule) {
  const auto at = [&](std::size_t line) {
    return lines.begin() + static_cast<std::ptrdiff_t>(line);
  };
  if (list.items.empty()) {
    if (list.line == 0 || list.line > lines.size() || !open_list(lines[list.line - 1]))
      return false;
    lines.insert(at(list.line), rule_line(indent_of(lines[list.line - 1]) + 2, rule));
    return true;
  }
  std::size_t end = list.items.back().line;  // the line behind the last item's first
  if (end == 0 || end > lines.size()) return false;
  const std::size_t indent = indent_of(lines[end - 1]);
  if (!std::string_view(lines[end - 1]).substr(indent).starts_with("- ")) return false;
  while (end < lines.size() && !says_nothing(lines[end]) && indent_of(lines[end]) > indent) ++end;
  lines.insert(at(end), rule_line(indent, rule));
  return true;
}

void add_workspace(std::vector<std::string>& lines, const std::string& dir,
                   const abi::Grant& rule) {
  auto head = std::find_if(lines.begin(), lines.end(),
                           [](const std::string& line) { return line.starts_with("workspaces:"); });
  if (head == lines.end()) {
    lines.emplace_back("workspaces:");
    head = lines.end() - 1;
  }
  const auto first = std::find_if(head + 1, lines.end(),
                                  [](const std::string& line) { return !says_nothing(line); });
  std::size_t indent = first == lines.end() ? 0 : indent_of(*first);
  if (indent == 0) indent = 2;
  const std::string key = std::string(indent, ' ') + yaml_quoted(dir) + ':';
  const std::string item = rule_line(indent + 2, rule);
  head = lines.insert(head + 1, key);
  lines.insert(head + 1, item);
}

std::vector<std::string> flat(const Policy& policy) {
  std::vector<std::string> out;
  for (const PolicyRule& rule : policy.rules) out.push_back("\n" + rule.grant.to_text());
  for (const Policy::Workspace& one : policy.workspaces)
    for (const PolicyRule& rule : one.rules) out.push_back(one.dir + '\n' + rule.grant.to_text());
  std::sort(out.begin(), out.end());
  return out;
}

// ---- the file ----

Result<void> replace_file(const std::string& path, const std::string& text) {
  const auto failed = [&](std::string_view what) {
    return fail(Code::unavailable,
                fmt::format("cannot {} {}: {}", what, base::printable(path), std::strerror(errno)));
  };
  struct stat found = {};
  const mode_t mode = ::stat(path.c_str(), &found) == 0 ? found.st_mode & 0777U : 0600U;
  std::string temporary = path + ".XXXXXX";
  const int fd = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return failed("write beside");
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fchmod(fd, mode) == 0 && ::fsync(fd) == 0;
  ::close(fd);
  if (!written || ::rename(temporary.c_str(), path.c_str()) != 0) {
    const auto error = failed("write");
    ::unlink(temporary.c_str());
    return error;
  }
  const int dir = ::open(path.substr(0, path.rfind('/')).c_str(), O_RDONLY | O_DIRECTORY);
  if (dir >= 0) ::fsync(dir), ::close(dir);
  return {};
}

// A link that a person put there stays a link.
std::string real_path(const std::string& path) {
  std::error_code error;
  const auto real = std::filesystem::canonical(path, error);
  return error ? path : real.string();
}

Result<std::string> policy_text(const std::string& path) {
  auto text = read_whole_file(path, kYamlBytesMax);
  if (text || text.error().code != Code::not_found) return text;
  return std::string();
}

Result<void> save_rule(const std::string& store_dir, const std::optional<std::string>& dir,
                       const abi::Grant& rule) {
  static std::mutex one_at_a_time;  // a store has one owner, and only that saves
  const std::lock_guard lock(one_at_a_time);
  const std::string path = real_path(policy_path(store_dir));
  const std::string before = TRY(policy_text(path));
  const std::string after = TRY(with_rule(before, path, dir, rule));
  return after == before ? Result<void>() : replace_file(path, after);
}

// What was saved is the policy's from now on, also in this job: who takes the line out of the file
// takes the answer back.
Result<void> hand_to_policy(kernel::Kernel& kernel, const std::string& store_dir, base::JobId job,
                            const abi::Roots& roots,
                            const std::vector<kernel::CapabilityView>& saved) {
  const auto standing = TRY(read_policy(store_dir)).standing_for(roots);
  TRY(kernel.set_policy(job, standing));
  for (const kernel::CapabilityView& cap : saved) {
    const bool taken = std::any_of(standing.begin(), standing.end(), [&](const auto& one) {
      return one.grant.to_text() == cap.grant;
    });
    const auto gone = taken ? kernel.revoke(cap.id, "policy") : Result<void>();
    if (!gone && gone.error().code != Code::conflict) return gone;  // conflict: it is gone already
  }
  return {};
}

}  // namespace

Result<Policy> Policy::parse(const std::string& text, const std::string& name) {
  const Yaml root = TRY(Yaml::parse(text, name));
  Policy out;
  if (root.kind == Yaml::Kind::null) return out;
  const YamlMap map = TRY(YamlMap::of(root, name, "a policy", kPolicyKeys));
  std::optional<std::string> version;
  TRY(map.text("alos", version));
  if (version != "1")
    return fail(Code::invalid, fmt::format("{}:{}: a policy begins with `alos: 1`",
                                           base::printable(name), root.line));
  out.rules = TRY(read_rules(map.find("rules"), name, ""));
  const Yaml* workspaces = map.find("workspaces");
  if (workspaces == nullptr || workspaces->kind == Yaml::Kind::null) return out;
  if (workspaces->kind != Yaml::Kind::map)
    return map.wrong(*workspaces, "workspaces", "a map of directories to rules");
  for (const auto& [dir, rules] : workspaces->members) {
    if (!dir.starts_with('/'))
      return map.at(rules.line, "workspaces",
                    {Code::invalid,
                     fmt::format("`{}` is not an absolute directory",
                                 base::printable(base::shortened(dir, 80))),
                     ""});
    std::vector<PolicyRule> read = TRY(read_rules(&rules, name, dir));
    out.workspaces.push_back({dir, std::move(read)});
  }
  return out;
}

std::vector<kernel::Standing> Policy::standing_for(const abi::Roots& roots) const {
  std::vector<kernel::Standing> out;
  const auto add = [&](const abi::Grant& grant, const std::string& from) {
    for (const kernel::Standing& one : out)
      if (one.grant == grant && one.from == from) return;
    out.push_back({grant, from});
  };
  for (const PolicyRule& rule : rules) add(rule.grant, "policy:store");
  for (const Workspace& workspace : workspaces) {
    std::error_code error;
    const std::string real = std::filesystem::weakly_canonical(workspace.dir, error).string();
    for (const abi::Root& root : roots) {
      if (root.host != real && root.host != workspace.dir) continue;
      for (const PolicyRule& rule : workspace.rules)
        if (!is_on_files(rule.grant.resource) || root_of(rule.grant.resource) == root.name)
          add(rule.grant, "policy:" + root.host);
    }
  }
  return out;
}

std::string policy_path(const std::string& store_dir) { return store_dir + "/policy.yaml"; }

Result<Policy> read_policy(const std::string& store_dir) {
  const std::string path = policy_path(store_dir);
  return Policy::parse(TRY(policy_text(path)), path);
}

Result<std::string> with_rule(const std::string& text, const std::string& name,
                              const std::optional<std::string>& dir, const abi::Grant& rule) {
  const Policy before = TRY(Policy::parse(text, name));
  std::vector<std::string> wanted = flat(before);
  const std::string added = dir.value_or("") + '\n' + rule.to_text();
  if (std::find(wanted.begin(), wanted.end(), added) != wanted.end()) return text;
  wanted.insert(std::upper_bound(wanted.begin(), wanted.end(), added), added);

  const Yaml root = TRY(Yaml::parse(text, name));
  std::vector<std::string> lines =
      lines_of(root.kind == Yaml::Kind::null ? text + std::string(kHead) : text);
  const Yaml* list = root.find(dir ? "workspaces" : "rules");
  if (dir && list != nullptr) list = list->find(*dir);
  bool placed = true;
  if (list != nullptr)
    placed = insert_into(lines, *list, rule);
  else if (dir)
    add_workspace(lines, *dir, rule);
  else
    lines.emplace_back("rules:"), lines.push_back(rule_line(2, rule));
  std::string out;
  for (const std::string& line : lines) out += line + '\n';
  // Whatever form it was written in: it must now say one rule more, and nothing else.
  const auto after = Policy::parse(out, name);
  if (!placed || !after || flat(*after) != wanted)
    return fail(
        Code::conflict,
        fmt::format("{} is written in a way that no rule can be added to", base::printable(name)),
        fmt::format("add it by hand{}:\n{}",
                    dir ? " under workspaces: " + base::printable(*dir) : "", rule_line(2, rule)));
  return out;
}

Result<abi::Roots> roots_of(kernel::Kernel& kernel, base::JobId job) {
  for (const kernel::RecordView& record : TRY(kernel.records(job, 1, 1))) {
    const auto document = TRY(base::Document::parse(record.body, base::Source::outside));
    const auto roots = document.root().is_object() ? document.root().field("roots") : std::nullopt;
    if (record.kind == "job.created" && roots)
      return base::from_json<abi::Roots>(roots->canonical(), base::Source::outside);
  }
  return fail(Code::corrupt, fmt::format("job {} does not begin as jobs do", job.value));
}

Result<std::vector<std::string>> save_answer(kernel::Kernel& kernel, const std::string& store_dir,
                                             const kernel::RequestView& request) {
  std::vector<std::string> out;
  std::vector<kernel::CapabilityView> saved;
  const std::string mark = fmt::format("(request {})", request.id);
  const abi::Roots roots = TRY(roots_of(kernel, request.pid.job));
  for (const kernel::CapabilityView& cap : TRY(kernel.capabilities(request.pid))) {
    if (!cap.holder.empty() || !cap.from.ends_with(mark)) continue;
    const abi::Grant rule = TRY(abi::Grant::from_text(cap.grant));
    std::optional<std::string> dir;
    if (is_on_files(rule.resource))
      for (const abi::Root& root : roots)
        if (root.name == root_of(rule.resource)) dir = root.host;
    TRY(save_rule(store_dir, dir, rule));
    out.push_back(fmt::format("{}: {} in {}{}", effect_of(rule), base::printable(body_of(rule)),
                              base::printable(policy_path(store_dir)),
                              dir ? " for " + base::printable(*dir) : ""));
    saved.push_back(cap);
  }
  if (!saved.empty()) TRY(hand_to_policy(kernel, store_dir, request.pid.job, roots, saved));
  return out;
}

Result<int> policy(Host& host, const Arguments&) {
  const Policy policy = TRY(read_policy(host.store_dir));
  Table table({"WHERE", "LINE", "RULE", "GRANT"});
  const auto show = [&](const std::string& where, const PolicyRule& rule) {
    if (host.style.json()) {
      std::string body = fmt::format(R"({{"rule":"{}","grant":)", effect_of(rule.grant));
      base::append_json_string(body, body_of(rule.grant));
      body += R"(,"where":)";
      base::append_json_string(body, where);
      return host.output.out(typed("rule", body + fmt::format(R"(,"line":{}}})", rule.line)));
    }
    table.add({base::printable(where),
               fmt::format("{}", rule.line),
               {std::string(effect_of(rule.grant)),
                rule.grant.effect == abi::GrantEffect::deny ? Ink::red : Ink::green},
               base::printable(body_of(rule.grant))});
  };
  for (const PolicyRule& rule : policy.rules) show("store", rule);
  for (const Policy::Workspace& one : policy.workspaces)
    for (const PolicyRule& rule : one.rules) show(one.dir, rule);
  if (host.style.json()) return 0;
  host.output.err(policy_path(host.store_dir) +
                  (table.empty() ? ": no rules; `alos approve --always` adds one\n" : "\n"));
  if (!table.empty()) host.output.out(table.text(host.style));
  return 0;
}

}  // namespace alos::surface
