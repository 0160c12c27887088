// SPDX-License-Identifier: Apache-2.0
#include "cli/command.hpp"

namespace signctl::cli {

namespace {

/// Its arguments are not flags of ours, so they are read before the flags of a command are: see
/// app.cpp.
struct Options {};

void declare_options(Flags& /*flags*/, Options& /*options*/) {}

Result<int> run(const Options& /*options*/, Context& /*context*/) {
  return Error{ErrorKind::internal, "signtool's arguments were not translated"};
}

}  // namespace

const Command& signtool_command() {
  static constexpr Command kCommand{
      "signtool",
      "Release day",
      "sign|verify|timestamp|remove SIGNTOOL-OPTIONS FILE...",
      "Take signtool's command line, for packagers that call it",
      "Accepts what signtool accepts and ends with its exit codes: 0, 1 for any failure, 2 for a "
      "warning. What signs is the signer of signctl.yaml, or of --config FILE. Options may begin "
      "with / or -, in any case.\n"
      "sign: /fd ALG /tr URL /td ALG /d TEXT /du URL /ac FILE /as /ph /v /q. /a does nothing here; "
      "/n TEXT and /sha1 HEX say whose certificate it must be, /u OID what it must be for. /f "
      "FILE.pfx "
      "with /p env:NAME signs with a file, /dlib ... /dmdf metadata.json with Azure Artifact "
      "Signing. A signature that is there is replaced, unless /as says to add one.\n"
      "verify: /pa (needed) /all /a /c FILE.cat /tw /sha1 HEX /u OID. The gate's rules hold; with "
      "/tw a missing timestamp is a warning.\n"
      "timestamp: /tr URL /td ALG. remove: /s.\n"
      "Beside these: --config FILE, --signer NAME, --trust-cert FILE, --dev.\n"
      "What signtool can and signctl cannot do is refused, never left out in silence.",
      "  signctl signtool sign /fd sha256 /tr http://timestamp.digicert.com /td sha256 setup.exe\n"
      "  signctl signtool sign /fd sha256 /n Contoso --config ci/signctl.yaml setup.exe\n"
      "  signctl signtool verify /pa setup.exe\n",
      set_up<Options, declare_options, run>};
  return kCommand;
}

}  // namespace signctl::cli
