#include "runtime/runtime.h"

#include <algorithm>
#include <thread>

#include "agent/agent.h"
#include "agent/images.h"
#include "kernel/make.h"
#include "providers/clock.h"
#include "providers/executor.h"
#include "providers/files.h"
#include "providers/models.h"
#include "runtime/environment.h"
#include "runtime/valve.h"
#include "store/store.h"
#include "tools/tools.h"

namespace alos::runtime {
namespace {

using kernel::OpenOptions;

class StoreBlobs final : public ports::Blobs {
 public:
  explicit StoreBlobs(store::Store& store) : store_(store) {}
  base::Result<std::string> get(const base::Digest& digest) override { return store_.blob(digest); }

 private:
  store::Store& store_;
};

std::unique_ptr<ports::Executor> make_executor(unsigned threads) {
  // Most of them wait for the disk: a thread is held while an effect becomes durable and while it
  // is performed.
  constexpr unsigned sensible = 32;
  return providers::make_pool(threads == 0 ? sensible : threads);
}

std::vector<abi::Image> images() {
  std::vector<abi::Image> out;
  for (auto& image : agent::builtin_images()) {
    abi::Image one;
    one.name = std::move(image.name);
    if constexpr (requires { image.description; }) one.description = std::move(image.description);
    one.prompt = std::move(image.prompt);
    one.tools = std::move(image.tools);
    one.needs = std::move(image.needs);
    out.push_back(std::move(one));
  }
  return out;
}

// All of a runtime that works.
struct Parts {
  Parts(std::shared_ptr<store::Store> opened, unsigned threads)
      : store(std::move(opened)),
        blobs(*store),
        models(std::make_unique<ValvedModels>(
            providers::make_models(model_options_from_environment(), blobs), valve)),
        executor(std::make_unique<ValvedExecutor>(make_executor(threads), *valve)) {}

  // Nothing passes any more; then the threads end, then the kernel goes, and the rest in the
  // reverse of its order.
  ~Parts() {
    valve->close();
    // The pool goes while the executor's object stays: tasks that end still post to it.
    executor->stop();
    models->stop();
    kernel.reset();
  }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  std::shared_ptr<store::Store> store;
  StoreBlobs blobs;
  std::shared_ptr<Valve> valve = std::make_shared<Valve>();
  std::unique_ptr<ports::Files> files = providers::make_files();
  std::unique_ptr<ports::Clock> clock = providers::make_clock();
  std::unique_ptr<ValvedModels> models;
  std::unique_ptr<ValvedExecutor> executor;
  tools::ToolSet tools = tools::builtin_tools();
  std::shared_ptr<abi::Program> program = agent::make_agent(tools);
  std::shared_ptr<kernel::Kernel> kernel;
};

base::Result<std::shared_ptr<kernel::Kernel>> open_to_work(const OpenOptions& options) {
  auto store = TRY(store::open_sqlite_store(options.store_dir, store::OpenMode::write));
  const auto parts = std::make_shared<Parts>(std::move(store), options.threads);
  const ports::Hands hands{*parts->files, *parts->clock, *parts->models, *parts->executor};
  parts->kernel = TRY(kernel::make_kernel(parts->store, hands, parts->program, images()));
  return std::shared_ptr<kernel::Kernel>(parts, parts->kernel.get());
}

base::Result<std::shared_ptr<kernel::Kernel>> open_to_look(const OpenOptions& options) {
  auto store = store::open_sqlite_store(options.store_dir, store::OpenMode::read);
  if (!store && store.error().code == base::Code::not_found)
    return kernel::make_viewer(store::make_memory_store(), images());
  return kernel::make_viewer(TRY(std::move(store)), images());
}

}  // namespace

base::Result<std::shared_ptr<kernel::Kernel>> open(const OpenOptions& options) {
  return options.mode == OpenOptions::Mode::own ? open_to_work(options) : open_to_look(options);
}

}  // namespace alos::runtime
