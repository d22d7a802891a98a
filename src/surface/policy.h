// Policy: what people decided for good, in policy.yaml of the store's directory. It answers what is
// to be asked, yes or no, and grants nothing. People read and edit it; what they wrote stays as it
// is when a rule is added.
//
//   alos: 1
//   rules:                                    # count for every job of the store
//     - deny: write fs:/workspace/vendor/**
//   workspaces:
//     /home/ada/shop:                         # count for jobs that have this directory as a root
//       - allow: write fs:/workspace/docs/**
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/kernel.h"

namespace alos::surface {

struct PolicyRule {
  abi::Grant grant;  // effect allow or deny
  std::size_t line = 0;
};

struct Policy {
  struct Workspace {
    std::string dir;
    std::vector<PolicyRule> rules;
  };
  std::vector<PolicyRule> rules;
  std::vector<Workspace> workspaces;

  // Errors are `invalid` and begin with NAME:LINE.
  static base::Result<Policy> parse(const std::string& text, const std::string& name);

  // What counts for a job with these roots. A workspace's rule on files counts only where the root
  // that it names is that directory.
  std::vector<kernel::Standing> standing_for(const abi::Roots& roots) const;
};

std::string policy_path(const std::string& store_dir);

// No file: no rules.
base::Result<Policy> read_policy(const std::string& store_dir);

// The text of a policy with one rule more, all else as it was; `dir`: for that workspace. Errors:
// `invalid`, `conflict` when it is written in a way that cannot be added to.
base::Result<std::string> with_rule(const std::string& text, const std::string& name,
                                    const std::optional<std::string>& dir, const abi::Grant& rule);

// What the answer to this request said for the whole job, saved: on files for the workspace, else
// for the store. The lines for the person, one a rule; none when nothing was said for the job.
base::Result<std::vector<std::string>> save_answer(kernel::Kernel& kernel,
                                                   const std::string& store_dir,
                                                   const kernel::RequestView& request);

// The roots that a job was started with.
base::Result<abi::Roots> roots_of(kernel::Kernel& kernel, base::JobId job);

}  // namespace alos::surface
