// SPDX-License-Identifier: Apache-2.0
#include "cli/common_options.hpp"

namespace signctl::cli {

void declare(Flags& flags, ConfigFlags& target) {
  flags.group("Configuration");
  flags.value("-c,--config",
              target.file,
              "FILE",
              "Config file; without it signctl.yaml in this folder or the nearest one above");
}

void declare(Flags& flags, SignerFlags& target) {
  flags.group("Signer");
  flags.value("--signer", target.name, "NAME", "One of the config's signers");
  flags.value("--provider",
              target.provider,
              "KIND",
              "Use this kind of signer without a config; signctl providers lists them");
  flags.values("-p",
               target.pairs,
               "KEY=VALUE",
               "Setting of --provider, repeatable; secrets as env:NAME, file:PATH, exec:COMMAND "
               "or stdin");
  flags.value("--chain,--ac", target.chain, "FILE", "Further certificates to embed (PEM or DER)");
}

void declare_digest(Flags& flags, std::string& target) {
  flags.value("--file-digest,--fd", target, "sha256|sha384|sha512", "Digest algorithm");
}

void declare(Flags& flags, SignatureFlags& target) {
  flags.group("Signature");
  declare_digest(flags, target.digest);
  flags.value("--description,--d", target.description, "TEXT", "Program name to show to users");
  flags.value("--url,--du", target.url, "URL", "Where users find more about the program");
  flags.flag("--page-hashes,--ph", target.page_hashes, "Also hash each page of the image");
}

void declare(Flags& flags, DeepFlags& target) {
  flags.flag("--deep",
             target.deep,
             "First sign what is unsigned inside ZIP-based files; what is inside any file must be "
             "signed");
}

void declare(Flags& flags, ExistingFlags& target) {
  flags.value("--if-signed",
              target.if_signed,
              "fail|skip-valid|append|replace",
              "When a file is signed already; skip-valid means that its signature passes the gate");
  flags.flag("--append,--as", target.append, "The same as --if-signed append");
}

void declare(Flags& flags, TimestampFlags& target, TimestampNeed need) {
  flags.group("Timestamp");
  flags.values("--timestamp-url,--tr",
               target.servers,
               "URL",
               "RFC 3161 server, repeatable: tried in order; dev: or dev:FILE is a local one for "
               "rehearsals");
  flags.value("--timestamp-digest,--td",
              target.digest,
              "sha256|sha384|sha512",
              "Digest algorithm of the timestamp");
  if (need == TimestampNeed::may_be_left_out) {
    flags.flag("--no-timestamp", target.none, "No timestamp, and the gate does not ask for one");
  }
}

void declare(Flags& flags, TrustFlags& target) {
  flags.group("Gate");
  flags.values("--trust-cert",
               target.certificates,
               "FILE",
               "Trust these certificates as well (PEM, DER or PKCS #7), repeatable");
  flags.flag("--dev",
             target.development,
             "Trust a self-signed signer and accept rehearsal certificates; never for a release");
  flags.value("--compat", target.compat, "windows", "Only warn of what Windows lets pass");
}

void declare(Flags& flags, IdentityFlags& target) {
  flags.group("Gate");
  flags.values("--expect-subject",
               target.subject,
               "NAME=VALUE",
               "Subject attribute the signer must have, repeatable: \"CN=Contoso Ltd\"");
  flags.values(
      "--expect-eku", target.eku, "OID", "Extended key usage the signer must have, repeatable");
  flags.value("--expect-issuer", target.issuer, "CN", "Common name of the signer's issuer");
  flags.value("--expect-thumbprint",
              target.thumbprint,
              "HEX",
              "Thumbprint of the signer's certificate, SHA-256 or SHA-1");
  flags.value("--expect-name",
              target.name,
              "TEXT",
              "Text that the signer's common name must hold, in any case");
}

void declare(Flags& flags, ExpectFlags& target) {
  flags.group("Gate");
  flags.value("--timestamp", target.timestamp, "required|optional", "Whether it must have one");
  declare(flags, target.identity);
  flags.flag("--deep",
             target.deep,
             "Look inside packages, archives and installers: what is there must be signed as well");
}

void declare(Flags& flags, FileFlags& target) {
  flags.group("Files");
  flags.operands(target.files);
  flags.value("--step", target.step, "NAME", "Only this step of the config");
}

void declare(Flags& flags, TargetFlags& target) {
  flags.group("Files");
  flags.value("-o,--output", target.output, "FILE", "Write here and leave the input as it is");
  flags.value("--output-dir",
              target.output_dir,
              "DIR",
              "Write below this folder and leave the inputs as they are");
}

void declare(Flags& flags, RunFlags& target) {
  flags.group("Run");
  flags.number("-j,--jobs",
               target.jobs,
               "N",
               "Most signatures to ask for at the same time; begins lower and adapts");
  flags.flag("--keep-going", target.keep_going, "Go on with other files after a failure");
  flags.number("--max-signatures",
               target.max_signatures,
               "N",
               "Refuse to start when more signatures than this would be made");
  flags.value("--journal",
              target.journal,
              "FILE|off",
              "Where signatures are noted as soon as they are made, so that a run that dies can be "
              "continued; .signctl-journal where signatures cost money");
  flags.value("--cache", target.cache, "DIR", "Take signatures of unchanged files from here");
}

void declare(Flags& flags, AuditFlags& target) {
  flags.group("Report");
  flags.value(
      "--audit",
      target.log,
      "FILE",
      "Append to this log what is signed, as it happens; signctl audit checks and shows it");
  flags.value("--manifest",
              target.manifest,
              "FILE",
              "Write down what was signed, for verify --manifest before the upload");
}

void declare(Flags& flags, ReportFlags& target) {
  flags.group("Report");
  flags.value("--report", target.file, "FILE", "Also write a report; its name tells the format");
  flags.value("--report-format",
              target.format,
              "json|junit|sarif|markdown|html",
              "Format of the report, when the file's name does not tell");
}

}  // namespace signctl::cli
