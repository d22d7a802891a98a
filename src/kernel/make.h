// How the runtime makes a kernel.
#pragma once

#include <memory>
#include <vector>

#include "kernel/kernel.h"
#include "ports/hands.h"
#include "store/store.h"

namespace alos::kernel {

// Owns the store from now on: takes an epoch, runs nothing until a job is launched or resumed. The
// hands and the program must outlive it; the executor must have stopped before it goes.
base::Result<std::shared_ptr<Kernel>> make_kernel(std::shared_ptr<store::Store> store,
                                                  const ports::Hands& hands,
                                                  std::shared_ptr<abi::Program> program,
                                                  std::vector<abi::Image> images);

// Looks only: no threads, no hands.
std::shared_ptr<Kernel> make_viewer(std::shared_ptr<store::Store> store,
                                    std::vector<abi::Image> images);

}  // namespace alos::kernel
