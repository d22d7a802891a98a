#include "providers/files.h"

#include "providers/files_ops.h"

namespace alos::providers {
namespace {

using base::Path;
using base::Result;
using ports::Intent;
using ports::Outcome;

class FilesPin final : public ports::Pin {
 public:
  void add(PinnedPath place) {
    real_.push_back(place.path);
    places_.push_back(std::move(place));
  }
  const std::vector<Path>& real_paths() const override { return real_; }
  std::vector<Path> made_on_the_way() const override {
    std::vector<Path> above;
    for (const PinnedPath& place : places_) {
      Path path = place.path;
      for (std::size_t i = 1; i < place.missing.size(); ++i) above.push_back(path = path.parent());
    }
    return above;
  }
  const PinnedPath& at(std::size_t index) const {
    CHECK(index < places_.size());
    return places_[index];
  }

 private:
  std::vector<Path> real_;
  std::vector<PinnedPath> places_;
};

const PinnedPath& pinned(const ports::Pin& pin, std::size_t index) {
  const auto* ours = dynamic_cast<const FilesPin*>(&pin);
  CHECK(ours != nullptr);  // made by this provider
  return ours->at(index);
}

template <abi::PinnedCall C>
const PinnedPath& place(const Intent<C>& intent, std::size_t index = 0) {
  CHECK(intent.pin() != nullptr);
  return pinned(*intent.pin(), index);
}

template <typename C>
Shows shows(const Intent<C>& intent, abi::Right right) {
  return
      [&intent, right](const Path& path) { return intent.shows(abi::Resource::file(path), right); };
}

template <typename Reply>
Outcome<Reply> observed(Result<Reply> result) {
  if (!result) return base::Unexpected(std::move(result).error());
  return std::move(result).value();
}

class HostFiles final : public ports::Files {
 public:
  Result<std::unique_ptr<ports::Pin>> pin(const std::vector<PinSpec>& specs,
                                          const abi::Roots& roots) override {
    auto pin = std::make_unique<FilesPin>();
    for (const PinSpec& spec : specs) pin->add(TRY(pin_path(spec, roots)));
    return std::unique_ptr<ports::Pin>(std::move(pin));
  }

  Result<ports::Preimage> preimage(const ports::Pin& pin, std::size_t index,
                                   std::uint64_t bytes_max, std::string& content) override {
    return preimage_of(pinned(pin, index), bytes_max, content);
  }

  Outcome<abi::FsRead::Reply> perform(const Intent<abi::FsRead>& intent) override {
    return observed(read_file(place(intent), intent.call()));
  }
  Outcome<abi::FsStat::Reply> perform(const Intent<abi::FsStat>& intent) override {
    return observed(stat_file(place(intent)));
  }
  Outcome<abi::FsList::Reply> perform(const Intent<abi::FsList>& intent) override {
    return observed(list_directory(place(intent), shows(intent, abi::Right::list)));
  }
  Outcome<abi::FsSearch::Reply> perform(const Intent<abi::FsSearch>& intent) override {
    const abi::Right right = intent.call().text ? abi::Right::read : abi::Right::list;
    return observed(search_files(place(intent), intent.call(), shows(intent, right)));
  }

  Outcome<abi::FsWrite::Reply> perform(const Intent<abi::FsWrite>& intent) override {
    return write_file(place(intent), intent.call(), temp_name(intent.key()));
  }
  Outcome<abi::FsMkdir::Reply> perform(const Intent<abi::FsMkdir>& intent) override {
    return make_directory(place(intent), intent.call());
  }
  Outcome<abi::FsMove::Reply> perform(const Intent<abi::FsMove>& intent) override {
    return move_file(place(intent, 0), place(intent, 1));
  }
  Outcome<abi::FsRemove::Reply> perform(const Intent<abi::FsRemove>& intent) override {
    return remove_file(place(intent));
  }

  Result<Verifies<abi::FsWrite>::Seen> look(const Intent<abi::FsWrite>& intent) override {
    return look_at_write(place(intent), intent.call(), intent.state().preimage,
                         temp_name(intent.key()));
  }
  Result<Verifies<abi::FsMkdir>::Seen> look(const Intent<abi::FsMkdir>& intent) override {
    return look_at_mkdir(place(intent), intent.state().preimage);
  }
  Result<Verifies<abi::FsMove>::Seen> look(const Intent<abi::FsMove>& intent) override {
    return look_at_move(place(intent, 0), place(intent, 1), intent.state().preimage);
  }
  Result<Verifies<abi::FsRemove>::Seen> look(const Intent<abi::FsRemove>& intent) override {
    return look_at_remove(place(intent), intent.state().preimage);
  }

 private:
  template <abi::ExternalCall C>
  using Verifies = ports::Verifies<C>;
};

}  // namespace

std::unique_ptr<ports::Files> make_files() { return std::make_unique<HostFiles>(); }

}  // namespace alos::providers
