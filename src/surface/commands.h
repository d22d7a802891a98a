// Commands: one function each. They take a session and say everything through its Output.
#pragma once

#include "surface/arguments.h"
#include "surface/session.h"

namespace alos::surface {

// looking
base::Result<int> ps(Session& session, const Arguments& arguments);
base::Result<int> tree(Session& session, const Arguments& arguments);
base::Result<int> show(Session& session, const Arguments& arguments);
base::Result<int> log(Session& session, const Arguments& arguments);
base::Result<int> top(Session& session, const Arguments& arguments);
base::Result<int> approvals(Session& session, const Arguments& arguments);
base::Result<int> caps(Session& session, const Arguments& arguments);
base::Result<int> why(Session& session, const Arguments& arguments);
base::Result<int> audit_verify(Session& session, const Arguments& arguments);
base::Result<int> audit_export(Session& session, const Arguments& arguments);
base::Result<int> audit_log(Session& session, const Arguments& arguments);
base::Result<int> store_check(Session& session, const Arguments& arguments);
base::Result<int> image_list(Session& session, const Arguments& arguments);
base::Result<int> image_inspect(Session& session, const Arguments& arguments);

// acting
base::Result<int> run_in_daemon(Session& session, const Arguments& arguments);
base::Result<int> resume_in_daemon(Session& session, const Arguments& arguments);
base::Result<int> attach(Session& session, const Arguments& arguments);
base::Result<int> wait(Session& session, const Arguments& arguments);
base::Result<int> pause(Session& session, const Arguments& arguments);
base::Result<int> kill(Session& session, const Arguments& arguments);
base::Result<int> approve(Session& session, const Arguments& arguments);
base::Result<int> deny(Session& session, const Arguments& arguments);
base::Result<int> answer(Session& session, const Arguments& arguments);
base::Result<int> grant(Session& session, const Arguments& arguments);
base::Result<int> budget(Session& session, const Arguments& arguments);
base::Result<int> send(Session& session, const Arguments& arguments);
base::Result<int> revoke(Session& session, const Arguments& arguments);
base::Result<int> call(Session& session, const Arguments& arguments);
base::Result<int> store_rebuild(Session& session, const Arguments& arguments);

// of the host: they open stores, or need none
base::Result<int> run_goal(Host& host, const Arguments& arguments);
base::Result<int> resume(Host& host, const Arguments& arguments);
base::Result<int> serve(Host& host, const Arguments& arguments);
base::Result<int> policy(Host& host, const Arguments& arguments);
base::Result<int> demo(Host& host, const Arguments& arguments);
base::Result<int> version(Host& host, const Arguments& arguments);
base::Result<int> completion(Host& host, const Arguments& arguments);

}  // namespace alos::surface
