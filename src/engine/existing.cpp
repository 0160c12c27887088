// SPDX-License-Identifier: Apache-2.0
#include "engine/existing.hpp"

#include "core/path.hpp"
#include "core/text.hpp"
#include "crypto/certificate.hpp"
#include "engine/gate.hpp"
#include "engine/shelf.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace signctl::engine {

namespace {

FileOutcome skip_judged(const std::string& path, std::string reason, FileOutcome judged) {
  FileOutcome outcome = skip(path, std::move(reason));
  outcome.report = std::move(judged.report);
  outcome.verdict = std::move(judged.verdict);
  return outcome;
}

/// What is not as `options` want it; empty when all is.
std::string other_options(const Report& report,
                          const SignatureInfo& signature,
                          const SignOptions& options) {
  if (signature.digest_alg != options.digest) {
    return "another digest algorithm";
  }
  // Signatures that name their signer have neither description nor address.
  const bool has_description =
      std::any_of(signature.signed_attributes.begin(),
                  signature.signed_attributes.end(),
                  [](const AttributeInfo& attribute) { return attribute.name == "SpcSpOpusInfo"; });
  if (has_description && signature.description != options.description) {
    return "another description";
  }
  if (has_description && signature.url != options.url) {
    return "another url";
  }
  const bool wanted = options.page_hashes == PageHashes::on;
  if (report.format == "pe" && signature.page_hashes != wanted) {
    return wanted ? "no page hashes" : "page hashes";
  }
  return "";
}

/// What the journal's signatures in a file were made with that this run does otherwise; empty when
/// one of them is what this run would make.
Result<std::string> other_settings(const Report& report,
                                   const SignOptions& options,
                                   const Stages& stages) {
  std::string difference;
  for (const SignatureInfo& signature : report.signatures) {
    const std::string identity = stages.shelf->made_by(signature.cms);
    if (identity.empty()) {
      continue;
    }
    difference = other_options(report, signature, options);
    if (!difference.empty()) {
      continue;
    }
    if (!stages.is_ours || signature.chain.certificates.empty()) {
      return difference;
    }
    SIGNCTL_TRY(const bool ours,
                stages.is_ours(identity, signature.chain.certificates.front()),
                "looking at who signed it");
    if (ours) {
      return difference;
    }
    difference = "another signer";
  }
  return difference;
}

/// An earlier run signed the file, which does not pass.
Error changed_since(const FileOutcome& judged) {
  const auto objections = judged.verdict.objections();
  const bool changed =
      std::any_of(objections.begin(), objections.end(), [](const Finding& finding) {
        return finding.id == "digest-mismatch";
      });
  return {ErrorKind::input,
          std::string("an earlier run signed the file") +
              (changed ? ", and it has been changed since"
                       : ", and it does not pass the gate: " +
                             (objections.empty() ? "" : objections.front().message)),
          changed
              ? "put the file that was built back in its place; --if-signed replace signs it as "
                "it is now"
              : "signctl verify shows all; --if-signed replace signs it again"};
}

/// A file that an earlier run signed, before it came to an untimely end, is finished if it passes
/// and is what this run would make.
Result<MaybeOutcome> answer_by_journal(OpenedFile& opened,
                                       const FileTask& task,
                                       const Stages& stages) {
  if (stages.shelf == nullptr || task.input != task.output) {
    return MaybeOutcome{};
  }
  SIGNCTL_TRY(const auto stored, stored_signatures(*opened.signable), "");
  if (!stages.shelf->made_any_of(stored)) {
    return MaybeOutcome{};
  }
  SIGNCTL_TRY(FileOutcome judged, judge_file(opened, *stages.gate, stages.clock->now()), "");
  const IfSigned rule = task.options.if_signed;
  if (judged.state != FileState::done) {
    return rule == IfSigned::fail ? Result<MaybeOutcome>(changed_since(judged)) : MaybeOutcome{};
  }
  SIGNCTL_TRY(const std::string other, other_settings(judged.report, task.options, stages), "");
  if (other.empty()) {
    stages.shelf->note_done(stored);
    return MaybeOutcome{
        skip_judged(task.input, "signed by an earlier run, and verified again", std::move(judged))};
  }
  if (rule == IfSigned::fail || rule == IfSigned::append) {
    return Error{ErrorKind::input,
                 "an earlier run signed the file with other settings: it has " + other,
                 "--if-signed replace signs it again, skip-valid leaves it if it passes the gate"};
  }
  return MaybeOutcome{};
}

/// Whether `written` has one signature, made with the same options, over what `opened` holds.
Result<bool> is_signed_form(OpenedFile& opened, const Report& written, const SignOptions& options) {
  if (written.signatures.size() != 1 || written.format != opened.format->name() ||
      !other_options(written, written.signatures.front(), options).empty()) {
    return false;
  }
  SIGNCTL_TRY(
      const auto content, opened.signable->content_to_sign(options.digest), "computing the digest");
  return to_hex(content.file_digest) == written.signatures.front().digest_hex;
}

/// An output that an earlier run made of this very input, and that passes. Whatever is doubtful is
/// signed again: the output is ours to write.
MaybeOutcome answer_by_output(OpenedFile& opened, const FileTask& task, const Stages& stages) {
  std::error_code ignored;
  if (task.input == task.output || opened.signable->scheme() != nullptr ||
      !std::filesystem::exists(to_path(task.output), ignored)) {
    return std::nullopt;
  }
  auto written = open_file(task.output);
  if (!written) {
    return std::nullopt;
  }
  auto judged = judge_file(*written, *stages.gate, stages.clock->now());
  if (!judged || judged->state != FileState::done) {
    return std::nullopt;
  }
  const auto same = is_signed_form(opened, judged->report, task.options);
  if (!same || !*same) {
    return std::nullopt;
  }
  return skip_judged(
      task.output, "signed before from the same input, and passes the gate", std::move(*judged));
}

const CertificateInfo* leaf_of(const SignatureInfo& signature) {
  const auto& certificates = signature.chain.certificates;
  return certificates.empty() ? nullptr : &certificates.front();
}

/// Whether a signature in the file is by that certificate, or by another of the same holder: they
/// are renewed.
bool is_signed_by(const Report& report, const CertificateInfo& signer) {
  return std::any_of(
      report.signatures.begin(), report.signatures.end(), [&](const SignatureInfo& signature) {
        const CertificateInfo* leaf = leaf_of(signature);
        return leaf != nullptr && leaf->subject == signer.subject;
      });
}

/// Why a file is left alone that somebody has signed. The gate's identity rules have the say in who
/// that may be; where there are none, at least it is named.
std::string why_skipped(const Report& report, const Stages& stages) {
  const CertificateInfo* leaf =
      report.signatures.empty() ? nullptr : leaf_of(report.signatures.front());
  const std::string by = leaf == nullptr ? "" : " by " + printable(leaf->subject);
  const auto chain =
      stages.known_chain ? stages.known_chain() : Result<std::vector<Bytes>>(std::vector<Bytes>{});
  if (!chain || chain->empty()) {
    return "already signed" + by + ", and the signature passes the gate";
  }
  const auto signer = crypto::Certificate::parse(chain->front());
  const bool ours = !signer || is_signed_by(report, signer->info());
  return "already signed" + by + (ours ? "" : " (not by this signer)") +
         ", and the signature passes the gate";
}

}  // namespace

FileOutcome skip(const std::string& path, std::string reason) {
  FileOutcome outcome;
  outcome.state = FileState::skipped;
  outcome.path = path;
  outcome.reason = std::move(reason);
  return outcome;
}

Result<MaybeOutcome> answer_existing(OpenedFile& opened,
                                     const FileTask& task,
                                     const Stages& stages) {
  SIGNCTL_TRY(auto finished_before, answer_by_journal(opened, task, stages), "");
  if (finished_before) {
    return finished_before;
  }
  const IfSigned rule = task.options.if_signed;
  if (rule == IfSigned::append || rule == IfSigned::replace) {
    return MaybeOutcome{};
  }
  SIGNCTL_TRY(const auto stored, opened.signable->signatures(), "reading the signatures");
  if (stored.empty()) {
    return rule == IfSigned::skip_valid ? answer_by_output(opened, task, stages) : MaybeOutcome{};
  }
  if (rule == IfSigned::fail) {
    return Error{ErrorKind::input,
                 "the file is signed already",
                 "say what you want: --if-signed skip-valid, append or replace"};
  }
  SIGNCTL_TRY(FileOutcome judged, judge_file(opened, *stages.gate, stages.clock->now()), "");
  if (judged.state != FileState::done) {
    return MaybeOutcome{};
  }
  std::string why = why_skipped(judged.report, stages);
  return MaybeOutcome{skip_judged(task.input, std::move(why), std::move(judged))};
}

}  // namespace signctl::engine
