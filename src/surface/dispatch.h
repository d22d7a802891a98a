// Dispatch: how a command gets its kernel. By a look at the store, through the owner's socket, or
// as the owner.
#pragma once

#include "surface/arguments.h"
#include "surface/service.h"
#include "surface/session.h"

namespace alos::surface {

// Runs a command of any access but `host`. `words` are the command's own, to hand to the owner.
base::Result<int> dispatch(Host& host, const Parsed& parsed, const std::vector<std::string>& words);

// The service of a runtime that stays: the same commands, for other terminals. Errors:
// `unavailable`.
base::Result<std::unique_ptr<Service>> serve_others(kernel::Kernel& kernel,
                                                    const std::string& store_dir,
                                                    Session::Place place);

// Ends a runtime that served others. Does not return when somebody still waits in it: then the
// process ends at once, with `code`; everything is durable.
void end_service(Service& service, Output& output, int code);

// The kernel of the one runtime that may work on the store. Errors: `conflict`, naming the owner.
base::Result<std::shared_ptr<kernel::Kernel>> open_to_own(const Host& host);

}  // namespace alos::surface
