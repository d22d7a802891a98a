// SimFiles: a tree of files in memory as the hands of the kernel. It resolves links as the real
// provider does, answers done, not started, failed or unknown, and loses power before or after an
// effect. A second program meddles with it.
#pragma once

#include <map>

#include "sim/effects.h"

namespace alos::sim {

struct Node {
  abi::FileKind kind = abi::FileKind::file;
  std::string data;  // a file's content, a link's target
};

class SimPin final : public ports::Pin {
 public:
  explicit SimPin(std::vector<base::Path> real) : real_(std::move(real)) {}
  const std::vector<base::Path>& real_paths() const override { return real_; }

 private:
  std::vector<base::Path> real_;
};

class SimFiles final : public ports::Files {
 public:
  SimFiles(World& world, Effects& effects) : world_(world), effects_(effects) {}

  void put(const std::string& path, Node node);  // and the directories above
  const Node* node(const std::string& path) const;
  // Another program of the host changes what an interrupted call was about.
  void meddle(const std::string& path);
  bool was_meddled_with(const std::string& path) const { return meddled_.contains(path); }

  base::Result<std::unique_ptr<ports::Pin>> pin(const std::vector<PinSpec>& specs,
                                                const abi::Roots& roots) override;
  base::Result<ports::Preimage> preimage(const ports::Pin& pin, std::size_t index,
                                         std::uint64_t bytes_max, std::string& content) override;

  ports::Outcome<abi::FsRead::Reply> perform(const ports::Intent<abi::FsRead>& intent) override;
  ports::Outcome<abi::FsList::Reply> perform(const ports::Intent<abi::FsList>& intent) override;
  ports::Outcome<abi::FsStat::Reply> perform(const ports::Intent<abi::FsStat>& intent) override;
  ports::Outcome<abi::FsSearch::Reply> perform(const ports::Intent<abi::FsSearch>& intent) override;
  ports::Outcome<abi::FsWrite::Reply> perform(const ports::Intent<abi::FsWrite>& intent) override;
  ports::Outcome<abi::FsMkdir::Reply> perform(const ports::Intent<abi::FsMkdir>& intent) override;
  ports::Outcome<abi::FsMove::Reply> perform(const ports::Intent<abi::FsMove>& intent) override;
  ports::Outcome<abi::FsRemove::Reply> perform(const ports::Intent<abi::FsRemove>& intent) override;

  base::Result<ports::Verifies<abi::FsWrite>::Seen> look(
      const ports::Intent<abi::FsWrite>& intent) override;
  base::Result<ports::Verifies<abi::FsMkdir>::Seen> look(
      const ports::Intent<abi::FsMkdir>& intent) override;
  base::Result<ports::Verifies<abi::FsMove>::Seen> look(
      const ports::Intent<abi::FsMove>& intent) override;
  base::Result<ports::Verifies<abi::FsRemove>::Seen> look(
      const ports::Intent<abi::FsRemove>& intent) override;

 private:
  template <typename C, typename Act>
  ports::Outcome<typename C::Reply> act(const ports::Intent<C>& intent, Act effect);
  template <typename C, typename Judge>
  base::Result<typename ports::Verifies<C>::Seen> sight(const ports::Intent<C>& intent,
                                                        Judge judge);
  base::Result<base::Path> resolve(const PinSpec& spec, const abi::Roots& roots) const;
  ports::Preimage image(const base::Path& path) const;
  void check_shown(const abi::Resource& place, bool shown);

  // The effects themselves, at real places. Not started where the world does not fit.
  ports::Outcome<abi::FsWrite::Reply> write(const base::Path& path, const abi::FsWrite& call);
  ports::Outcome<abi::FsMkdir::Reply> make(const base::Path& path, const abi::FsMkdir& call);
  ports::Outcome<abi::FsMove::Reply> move(const base::Path& from, const base::Path& to);
  ports::Outcome<abi::FsRemove::Reply> remove(const base::Path& path);

  World& world_;
  Effects& effects_;
  std::map<std::string, Node> nodes_;  // by logical path; directories too
  std::set<std::string> meddled_;
};

}  // namespace alos::sim
