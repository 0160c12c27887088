// SPDX-License-Identifier: Apache-2.0
#include "cli/batch.hpp"
#include "cli/command.hpp"
#include "cli/files_read.hpp"
#include "cli/settings.hpp"
#include "core/file.hpp"
#include "crypto/certificate.hpp"
#include "engine/timestamp_trust.hpp"

#include <memory>

namespace signctl::cli {

namespace {

constexpr BatchWords kWords{"attach", "attached"};
constexpr std::size_t kMaxSignatureBytes = 16U << 20U;
constexpr std::size_t kMaxChainBytes = 1U << 20U;

struct Options {
  std::string file;
  std::string signature_file;
  std::string output;
  std::string chain;
  ConfigFlags config;
  SignatureFlags signature;
  ExistingFlags existing;
  TimestampFlags timestamp;
  TrustFlags trust;
};

void declare_options(Flags& flags, Options& options) {
  flags.group("Files");
  flags.operand(options.file);
  flags.operand(options.signature_file);
  flags.value("-o,--output", options.output, "FILE", "Write here and leave the input as it is");
  flags.value("--chain,--ac",
              options.chain,
              "FILE",
              "Certificates of a raw signature value, PEM or DER, the signer's first");
  declare(flags, options.config);
  declare(flags, options.signature);
  declare(flags, options.existing);
  declare(flags, options.timestamp, TimestampNeed::may_be_left_out);
  declare(flags, options.trust);
}

Result<std::vector<Bytes>> read_chain(const std::string& path) {
  std::vector<Bytes> chain;
  if (path.empty()) {
    return chain;
  }
  SIGNCTL_TRY(const Bytes bytes, read_file(path, kMaxChainBytes), "");
  SIGNCTL_TRY(const auto certificates, crypto::read_certificates(bytes), "reading " + path);
  for (const auto& certificate : certificates) {
    chain.push_back(certificate.der());
  }
  return chain;
}

/// None when no server is named: the signature may bring its timestamp along, and the gate sees to
/// it that there is one.
Result<std::unique_ptr<Timestamper>> make_timestamper_if_named(const engine::Gate& gate,
                                                               const config::Config& config,
                                                               const Options& options,
                                                               Context& context) {
  const TimestampFlags& flags = options.timestamp;
  if (!flags.none && flags.servers.empty() && config.sign.timestamp_servers.empty()) {
    return std::unique_ptr<Timestamper>();
  }
  SIGNCTL_TRY(auto wanted, timestamp_options(config, flags, nullptr), "");
  if (!wanted) {
    return std::unique_ptr<Timestamper>();
  }
  wanted->check_chain = engine::timestamp_trust(gate, context.clock());
  SIGNCTL_TRY(auto timestamper,
              timestamp::make_timestamper(*wanted, context.world()),
              "setting up the timestamp client");
  return timestamper;
}

Result<int> run(const Options& options, Context& context) {
  if (options.file.empty() || options.signature_file.empty()) {
    return Error{ErrorKind::usage, "two files are needed", "signctl attach FILE SIGNATURE"};
  }
  SIGNCTL_TRY(const auto config, load_config(options.config), "");
  engine::AttachRequest request;
  request.task.input = options.file;
  request.task.output = options.output.empty() ? options.file : options.output;
  FilesRead read;
  read.add(options.signature_file);
  read.add(options.chain);
  read.add(options.config);
  read.add(options.timestamp);
  read.add(options.trust);
  read.add(config);
  SIGNCTL_CHECK(read.check_output(request.task.output), "");
  SIGNCTL_TRY(request.task.options,
              sign_options(config, options.signature, options.existing, options.timestamp),
              "");
  SIGNCTL_TRY(auto gate, make_gate(config, options.trust, context), "");
  if (options.timestamp.none) {
    gate.rules.timestamp = TimestampRule::optional;
  }
  SIGNCTL_TRY(
      const auto timestamper, make_timestamper_if_named(gate, config, options, context), "");
  SIGNCTL_TRY(request.chain, read_chain(options.chain), "");
  SIGNCTL_TRY(const Bytes signature, read_file(options.signature_file, kMaxSignatureBytes), "");
  engine::Stages stages{nullptr, timestamper.get(), &gate, &context.clock()};
  Batch batch;
  batch.paths = {options.file};
  batch.work = [&](std::size_t) { return engine::attach_signature(request, signature, stages); };
  batch.on_file = [&](const engine::FileResult& result) {
    print_file(context, kWords, result, "gate passed");
  };
  return finish_batch(context, kWords, run_batch(batch));
}

}  // namespace

const Command& attach_command() {
  static constexpr Command kCommand{
      "attach",
      "Detached signing",
      "FILE SIG",
      "Embed a signature that was made elsewhere",
      "Embeds a PKCS #7 signature over this file, or a raw signature value over what signctl "
      "digest "
      "--to-be-signed printed (then --chain names its certificates, and description, URL and "
      "digest "
      "algorithm have to be the same). The gate verifies the result before it takes the file's "
      "place.",
      "  signctl attach setup.exe setup.p7s --timestamp-url http://timestamp.digicert.com\n"
      "  signctl attach setup.exe signature.bin --chain chain.pem --no-timestamp\n",
      set_up<Options, declare_options, run>};
  return kCommand;
}

}  // namespace signctl::cli
