// SPDX-License-Identifier: Apache-2.0
#include "cli/binary_output.hpp"
#include "cli/command.hpp"
#include "cli/files_read.hpp"
#include "cli/render_json.hpp"
#include "core/text.hpp"
#include "engine/sign_file.hpp"

#include <nlohmann/json.hpp>

namespace signctl::cli {

namespace {

struct Options {
  std::string file;
  std::string output;
  std::optional<int> index;
  bool pem{false};
};

void declare_options(Flags& flags, Options& options) {
  flags.group("Files");
  flags.operand(options.file);
  flags.value("-o,--output", options.output, "FILE", "Write here; otherwise to standard output");
  flags.number("--index", options.index, "N", "Which top-level signature; the first unless said");
  flags.flag("--pem", options.pem, "PEM instead of DER");
}

std::string to_pem(const Bytes& cms) {
  constexpr std::size_t kLineWidth = 64;
  const std::string base64 = to_base64(cms);
  std::string text = "-----BEGIN PKCS7-----\n";
  for (std::size_t at = 0; at < base64.size(); at += kLineWidth) {
    text += base64.substr(at, kLineWidth) + "\n";
  }
  return text + "-----END PKCS7-----\n";
}

Result<int> run(const Options& options, Context& context) {
  if (options.file.empty()) {
    return Error{ErrorKind::usage, "no file is named", "signctl extract FILE -o FILE.p7s"};
  }
  const int index = options.index.value_or(1);
  if (index < 1) {
    return Error{ErrorKind::usage, "--index counts from 1"};
  }
  FilesRead read;
  read.add(options.file);
  SIGNCTL_CHECK(read.check_output(options.output), "");
  SIGNCTL_TRY(const Bytes cms,
              engine::extract_signature(options.file, static_cast<std::size_t>(index - 1)),
              "");
  const std::string pem = options.pem ? to_pem(cms) : "";
  const ByteView wanted = options.pem ? as_bytes(pem) : ByteView(cms);
  if (context.json()) {
    Json json = document("extract");
    json["path"] = options.file;
    json["index"] = index;
    json["cms"] = to_base64(cms);
    print_json(context, json);
  }
  if (!options.output.empty()) {
    SIGNCTL_CHECK(write_bytes(context, options.output, wanted), "");
    context.line("wrote " + printable(options.output));
  } else if (options.pem && !context.json()) {
    context.write(pem);
  } else if (!context.json()) {
    SIGNCTL_CHECK(write_bytes(context, "", wanted), "");
  }
  return 0;
}

}  // namespace

const Command& extract_command() {
  static constexpr Command kCommand{
      "extract",
      "Detached signing",
      "FILE",
      "Write out an embedded signature",
      "Writes a signature as it is stored in the file, a PKCS #7 ContentInfo.",
      "  signctl extract setup.exe -o setup.p7s\n"
      "  signctl extract --pem setup.exe | openssl pkcs7 -print_certs\n",
      set_up<Options, declare_options, run>};
  return kCommand;
}

}  // namespace signctl::cli
