#include "sim/sim_files.h"

#include <algorithm>

namespace alos::sim {

using base::Code;
using base::fail;
using base::Path;
using base::Result;
using ports::NotStarted;
using ports::Outcome;
using ports::Sight;
using ports::Unknown;

namespace {

constexpr unsigned kLinksMax = 8;

Path path_of(const std::string& text) {
  auto path = Path::parse(text);
  CHECK(path.has_value());
  return *path;
}

NotStarted not_started(Code code, std::string what) {
  return NotStarted{{code, std::move(what), ""}};
}

}  // namespace

const Node* SimFiles::node(const std::string& path) const {
  const auto found = nodes_.find(path);
  return found == nodes_.end() ? nullptr : &found->second;
}

void SimFiles::put(const std::string& path, Node node) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos;
       slash = path.find('/', slash + 1))
    nodes_.try_emplace(path.substr(0, slash), Node{abi::FileKind::directory, ""});
  nodes_.insert_or_assign(path, std::move(node));
}

void SimFiles::meddle(const std::string& path) {
  const auto found = nodes_.find(path);
  world_.mark("another program meddled");
  world_.say("   another program changes {}", path);
  meddled_.insert(path);
  if (found == nodes_.end()) return put(path, {abi::FileKind::file, "from elsewhere alpha\n"});
  if (found->second.kind != abi::FileKind::file) return;
  // The same content, behind a link, in a place that nobody was granted. An intent's record names
  // the place that was decided; recovery must not act on another one.
  const bool lured = world_.random().one_in(2);
  if (!lured) return void(found->second.data = "from elsewhere alpha\n");
  put("/workspace/other/stray", {abi::FileKind::file, found->second.data});
  found->second = {abi::FileKind::symlink, "/workspace/other/stray"};
}

Result<Path> SimFiles::resolve(const PinSpec& spec, const abi::Roots& roots) const {
  const bool rooted = std::any_of(roots.begin(), roots.end(), [&](const abi::Root& root) {
    return root.name == spec.path.root();
  });
  if (!rooted) return fail(Code::not_found, fmt::format("no root `{}`", spec.path.root()));
  std::string rest = spec.path.text();
  std::string real;
  unsigned links = 0;
  bool missing = false;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('/', 1), rest.size());
    const std::string next = real + rest.substr(0, end);
    const bool last = end == rest.size();
    const Node* there = node(next);
    if (there == nullptr && !last && spec.missing != ports::Missing::parents)
      return fail(Code::not_found, fmt::format("no directory `{}`", next));
    missing = there == nullptr;
    if (there != nullptr && there->kind == abi::FileKind::symlink &&
        (!last || spec.leaf == abi::Leaf::follow)) {
      if (++links > kLinksMax) return fail(Code::invalid, "too many links");
      if (!there->data.starts_with("/workspace/"))
        return fail(Code::denied, fmt::format("`{}` leads out of its root", next));
      rest = there->data + rest.substr(end);
      real.clear();
      continue;
    }
    if (there != nullptr && !last && there->kind != abi::FileKind::directory)
      return fail(Code::invalid, fmt::format("`{}` is no directory", next));
    real = next;
    rest.erase(0, end);
  }
  if (missing && spec.missing == ports::Missing::refuse)
    return fail(Code::not_found, fmt::format("no file `{}`", real));
  return path_of(real);
}

Result<std::unique_ptr<ports::Pin>> SimFiles::pin(const std::vector<PinSpec>& specs,
                                                  const abi::Roots& roots) {
  if (world_.crashed()) return fail(Code::unavailable, "the power is off");
  std::vector<Path> real;
  for (const PinSpec& spec : specs) {
    real.push_back(TRY(resolve(spec, roots)));
    if (real.back() != spec.path) world_.mark("link followed");
  }
  return std::unique_ptr<ports::Pin>(std::make_unique<SimPin>(std::move(real)));
}

ports::Preimage SimFiles::image(const Path& path) const {
  const Node* there = node(path.text());
  if (there == nullptr) return {};
  if (there->kind != abi::FileKind::file) return {true, {}};
  return {true, base::Digest::of(there->data)};
}

Result<ports::Preimage> SimFiles::preimage(const ports::Pin& pin, std::size_t index,
                                           std::uint64_t bytes_max, std::string& content) {
  if (world_.crashed()) return fail(Code::unavailable, "the power is off");
  const Path& path = pin.real_paths().at(index);
  const Node* there = node(path.text());
  content =
      there != nullptr && there->kind == abi::FileKind::file && there->data.size() <= bytes_max
          ? there->data
          : "";
  return image(path);
}

template <typename C, typename Act>
Outcome<typename C::Reply> SimFiles::act(const ports::Intent<C>& intent, Act effect) {
  effects_.performs(intent);
  if (world_.crashed()) return Unknown{{Code::unavailable, "the power is off", ""}};
  const auto done = [&]() -> Outcome<typename C::Reply> {
    auto outcome = effect();
    if (outcome.done() != nullptr) effects_.took_effect(intent.key());
    return outcome;
  };
  switch (world_.next_perform()) {
    case World::Fate::normal: break;
    case World::Fate::crash_before:
      world_.cut_power(fmt::format("before a perform ({})", base::name_of(C::kClass)));
      return Unknown{{Code::unavailable, "the power is off", ""}};
    case World::Fate::crash_after:
      (void)done();
      world_.cut_power(fmt::format("after a perform ({})", base::name_of(C::kClass)));
      return Unknown{{Code::unavailable, "the power is off", ""}};
    case World::Fate::fails:
      switch (world_.random().below(3)) {
        case 0: return not_started(Code::unavailable, "the disk is away");
        case 1: return ports::Failed{{Code::unavailable, "the disk failed", ""}};
        default:
          if (world_.random().one_in(2)) (void)done();
          return Unknown{{Code::outcome_unknown, "the disk did not say", ""}};
      }
  }
  return done();
}

// ---- looking ----

Outcome<abi::FsRead::Reply> SimFiles::perform(const ports::Intent<abi::FsRead>& intent) {
  return act(intent, [&]() -> Outcome<abi::FsRead::Reply> {
    const Node* there = node(intent.pin()->real_paths()[0].text());
    if (there == nullptr || there->kind != abi::FileKind::file)
      return fail(Code::invalid, "no file");
    const std::uint64_t offset =
        std::min<std::uint64_t>(intent.call().offset.value_or(0), there->data.size());
    abi::FsRead::Reply reply;
    reply.content = there->data.substr(offset, intent.call().bytes_max.value_or(UINT64_MAX));
    reply.file_bytes = there->data.size();
    reply.digest = base::Digest::of(reply.content.data);
    return reply;
  });
}

void SimFiles::check_shown(const abi::Resource& place, bool shown) {
  if (shown && Effects::is_forbidden(place.text()))
    world_.violation(fmt::format("{} is shown", place.text()));
}

Outcome<abi::FsList::Reply> SimFiles::perform(const ports::Intent<abi::FsList>& intent) {
  return act(intent, [&]() -> Outcome<abi::FsList::Reply> {
    const std::string top = intent.pin()->real_paths()[0].text();
    const Node* directory = node(top);
    if (directory == nullptr || directory->kind != abi::FileKind::directory)
      return fail(Code::invalid, "no directory");
    abi::FsList::Reply reply;
    for (auto at = nodes_.upper_bound(top + "/");
         at != nodes_.end() && at->first.starts_with(top + "/"); ++at) {
      const std::string name = at->first.substr(top.size() + 1);
      if (name.find('/') != std::string::npos) continue;
      const abi::Resource place = abi::Resource::file(path_of(at->first));
      const bool shown = intent.shows(place, abi::Right::list);
      check_shown(place, shown);
      if (shown)
        reply.entries.push_back(
            {name, at->second.kind,
             at->second.kind == abi::FileKind::file ? at->second.data.size() : 0});
    }
    return reply;
  });
}

Outcome<abi::FsStat::Reply> SimFiles::perform(const ports::Intent<abi::FsStat>& intent) {
  return act(intent, [&]() -> Outcome<abi::FsStat::Reply> {
    const Path& real = intent.pin()->real_paths()[0];
    const Node* there = node(real.text());
    if (there == nullptr) return fail(Code::not_found, "nothing there");
    return abi::FsStat::Reply{there->kind, there->data.size(), {}, real};
  });
}

Outcome<abi::FsSearch::Reply> SimFiles::perform(const ports::Intent<abi::FsSearch>& intent) {
  return act(intent, [&]() -> Outcome<abi::FsSearch::Reply> {
    const std::string top = intent.pin()->real_paths()[0].text();
    abi::FsSearch::Reply reply;
    for (auto at = nodes_.lower_bound(top); at != nodes_.end() && at->first.starts_with(top);
         ++at) {
      if (at->second.kind != abi::FileKind::file) continue;
      const Path path = path_of(at->first);
      const bool shown = intent.shows(abi::Resource::file(path),
                                      intent.call().text ? abi::Right::read : abi::Right::list);
      check_shown(abi::Resource::file(path), shown);
      if (!shown ||
          (intent.call().text && at->second.data.find(*intent.call().text) == std::string::npos))
        continue;
      if (reply.matches.size() < 5) reply.matches.push_back({path, {}, {}});
    }
    return reply;
  });
}

// ---- changing ----

Outcome<abi::FsWrite::Reply> SimFiles::write(const Path& path, const abi::FsWrite& call) {
  const Node* there = node(path.text());
  if (call.content.blob) world_.violation("a write comes without its bytes");
  if (there != nullptr && there->kind != abi::FileKind::file)
    return not_started(Code::invalid, "no file");
  if (there == nullptr && node(path.parent().text()) == nullptr)
    return not_started(Code::conflict, "its directory is gone");
  if (there == nullptr && (call.existing == abi::Existing::must || call.expected))
    return not_started(Code::not_found, "it is gone");
  if (there != nullptr && call.existing == abi::Existing::must_not)
    return not_started(Code::exists, "it exists");
  if (call.expected && base::Digest::of(there->data) != *call.expected)
    return not_started(Code::conflict, "it has another content");
  const bool created = there == nullptr;
  nodes_.insert_or_assign(path.text(), Node{abi::FileKind::file, call.content.data});
  return abi::FsWrite::Reply{call.content.data.size(), created};
}

Outcome<abi::FsMkdir::Reply> SimFiles::make(const Path& path, const abi::FsMkdir& call) {
  const Node* there = node(path.text());
  if (there != nullptr && there->kind == abi::FileKind::directory && call.parents)
    return abi::FsMkdir::Reply{false};
  if (there != nullptr) return not_started(Code::exists, "it exists");
  put(path.text(), {abi::FileKind::directory, ""});
  return abi::FsMkdir::Reply{true};
}

Outcome<abi::FsMove::Reply> SimFiles::move(const Path& from, const Path& to) {
  const Node* source = node(from.text());
  if (source == nullptr || source->kind != abi::FileKind::file)
    return not_started(Code::invalid, "no file to move");
  if (node(to.text()) != nullptr) return not_started(Code::exists, "the target exists");
  const Node moved = *source;
  nodes_.erase(from.text());
  nodes_[to.text()] = moved;
  return abi::FsMove::Reply{};
}

Outcome<abi::FsRemove::Reply> SimFiles::remove(const Path& path) {
  const auto there = nodes_.find(path.text());
  if (there == nodes_.end()) return not_started(Code::not_found, "nothing there");
  const auto beneath = nodes_.lower_bound(path.text() + "/");
  if (beneath != nodes_.end() && beneath->first.starts_with(path.text() + "/"))
    return not_started(Code::invalid, "the directory is not empty");
  nodes_.erase(there);
  return abi::FsRemove::Reply{};
}

Outcome<abi::FsWrite::Reply> SimFiles::perform(const ports::Intent<abi::FsWrite>& intent) {
  return act(intent, [&] { return write(intent.pin()->real_paths()[0], intent.call()); });
}
Outcome<abi::FsMkdir::Reply> SimFiles::perform(const ports::Intent<abi::FsMkdir>& intent) {
  return act(intent, [&] { return make(intent.pin()->real_paths()[0], intent.call()); });
}
Outcome<abi::FsMove::Reply> SimFiles::perform(const ports::Intent<abi::FsMove>& intent) {
  return act(intent,
             [&] { return move(intent.pin()->real_paths()[0], intent.pin()->real_paths()[1]); });
}
Outcome<abi::FsRemove::Reply> SimFiles::perform(const ports::Intent<abi::FsRemove>& intent) {
  return act(intent, [&] { return remove(intent.pin()->real_paths()[0]); });
}

// ---- recognising ----

template <typename C, typename Judge>
Result<typename ports::Verifies<C>::Seen> SimFiles::sight(const ports::Intent<C>& intent,
                                                          Judge judge) {
  if (world_.crashed()) return fail(Code::unavailable, "the power is off");
  typename ports::Verifies<C>::Seen seen;
  seen.sight = judge(seen.reply);
  if (seen.sight == Sight::conflict) seen.what = "something else";
  effects_.looked(intent.key(), seen.sight);
  if (intent.state().attempt == ports::Attempt::settle)
    world_.mark("looked only, authority is gone");
  return seen;
}

Result<ports::Verifies<abi::FsWrite>::Seen> SimFiles::look(
    const ports::Intent<abi::FsWrite>& intent) {
  return sight(intent, [&](abi::FsWrite::Reply& reply) {
    const ports::Preimage now = image(intent.pin()->real_paths()[0]);
    const auto& before = intent.state().preimage;
    reply = {intent.call().content.size_bytes(), before && !before->existed};
    if (now.digest == intent.call().content.digest()) return Sight::done;
    return before && now == *before ? Sight::not_done : Sight::conflict;
  });
}

Result<ports::Verifies<abi::FsMkdir>::Seen> SimFiles::look(
    const ports::Intent<abi::FsMkdir>& intent) {
  return sight(intent, [&](abi::FsMkdir::Reply& reply) {
    const ports::Preimage now = image(intent.pin()->real_paths()[0]);
    const auto& before = intent.state().preimage;
    reply = {true};
    if (!now.existed || (before && before->existed)) return Sight::not_done;
    return now.digest ? Sight::conflict : Sight::done;
  });
}

Result<ports::Verifies<abi::FsMove>::Seen> SimFiles::look(
    const ports::Intent<abi::FsMove>& intent) {
  return sight(intent, [&](abi::FsMove::Reply&) {
    const ports::Preimage source = image(intent.pin()->real_paths()[0]);
    const ports::Preimage target = image(intent.pin()->real_paths()[1]);
    const auto& before = intent.state().preimage;
    if (!source.existed && before && target == *before && target.digest) return Sight::done;
    return !target.existed && before && source == *before ? Sight::not_done : Sight::conflict;
  });
}

Result<ports::Verifies<abi::FsRemove>::Seen> SimFiles::look(
    const ports::Intent<abi::FsRemove>& intent) {
  return sight(intent, [&](abi::FsRemove::Reply&) {
    const ports::Preimage now = image(intent.pin()->real_paths()[0]);
    if (!now.existed) return Sight::done;
    return intent.state().preimage && now == *intent.state().preimage ? Sight::not_done
                                                                      : Sight::conflict;
  });
}

}  // namespace alos::sim
