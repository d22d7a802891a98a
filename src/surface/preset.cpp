// Presets: sets of grants that are shipped, for work that people often have done.
#include "surface/preset.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"

namespace alos::surface {

using base::Code;
using base::fail;
using base::Result;

namespace {

// Where code, its tests and its papers usually are. Whatever else is to be written is asked for.
constexpr std::array<std::string_view, 10> kWritable{"src",      "lib", "include", "app",  "pkg",
                                                     "internal", "cmd", "tests",   "test", "docs"};

// Names that hold keys and passwords, wherever they lie.
constexpr std::string_view kSecrets =
    "name=.env|.env.*|*.env|.ENV|*.pem|*.PEM|*.key|*.p12|*.pfx|*.jks|*.keystore|*.gpg|id_rsa*|"
    "id_dsa*|id_ecdsa*|id_ed25519*|.netrc|.pgpass|.npmrc|.pypirc|.git-credentials|.htpasswd|"
    ".dockercfg|.vault-token|credentials|credentials.*|secret.*|secrets.*|terraform.tfstate*";
constexpr std::array<std::string_view, 6> kSecretFolders{".ssh",    ".aws",   ".kube",
                                                         ".docker", ".gnupg", "secrets"};

}  // namespace

Result<std::vector<abi::Grant>> preset_grants(std::string_view name, std::string_view root) {
  if (name != "coding")
    return fail(Code::invalid,
                fmt::format("there is no policy `{}`", base::printable(base::shortened(name, 40))),
                "coding: read all, write where code usually is, ask for the rest, never secrets");
  if (root.empty())
    return fail(Code::invalid, "the policy `coding` is about a directory, and there is no root",
                "--root workspace=.");
  const std::string all = fmt::format("fs:/{}/**", root);
  std::vector<std::string> texts{fmt::format("read,list {} delegate", all),
                                 fmt::format("write {} ask delegate", all),
                                 fmt::format("read,write {} deny {}", all, kSecrets)};
  for (const std::string_view folder : kSecretFolders)
    texts.push_back(fmt::format("read,write fs:/{}/{}/** deny", root, folder));
  for (const std::string_view folder : kWritable)
    texts.push_back(fmt::format("write fs:/{}/{}/** delegate", root, folder));
  std::vector<abi::Grant> out;
  for (const std::string& text : texts) out.push_back(TRY(abi::Grant::from_text(text)));
  return out;
}

}  // namespace alos::surface
