// SPDX-License-Identifier: Apache-2.0
// The verbs that change or read signatures without making one: timestamp, remove, attach, digest,
// extract.
#include "cms/signed_data.hpp"
#include "core/assert.hpp"
#include "core/text.hpp"
#include "crypto/digest.hpp"
#include "crypto/oids.hpp"
#include "engine/build_signature.hpp"
#include "engine/draft.hpp"
#include "engine/gate.hpp"
#include "engine/opened_file.hpp"
#include "engine/restamp.hpp"
#include "engine/scheme_signature.hpp"
#include "engine/sign_file.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace signctl::engine {

namespace {

Error not_signed(const std::string& path) {
  return {ErrorKind::input, path + " is not signed", "sign it first with signctl sign"};
}

Result<FileOutcome> timestamp_opened(OpenedFile& opened, const FileTask& task, Stages& stages) {
  SIGNCTL_TRY(auto signatures, stored_signatures(*opened.signable), "");
  if (signatures.empty()) {
    return not_signed(task.input);
  }
  SIGNCTL_TRY(Draft draft, Draft::begin(opened.source, task.output), "creating the draft");
  std::string source;
  for (Bytes& signature : signatures) {
    if (SignatureScheme* scheme = opened.signable->scheme()) {
      SIGNCTL_TRY(auto stamped,
                  restamp_by_scheme(*scheme, signature, task.options, *stages.timestamper),
                  "");
      signature = std::move(stamped.envelope);
      source = std::move(stamped.timestamp_source);
      continue;
    }
    SIGNCTL_TRY(
        signature,
        restamp_all(
            signature, opened.signable->profile(), task.options, *stages.timestamper, source),
        "");
  }
  SIGNCTL_TRY(auto outcome, embed_and_commit(opened, std::move(draft), signatures, stages), "");
  outcome.path = task.output;
  outcome.timestamp_source = std::move(source);
  return outcome;
}

/// The DER of a ContentInfo given as DER or as PEM; empty if it is neither.
Bytes content_info_from(ByteView bytes) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  const std::string_view text = as_text(bytes);
  const auto begin = text.find(kBegin);
  if (begin == std::string_view::npos) {
    return cms::parse_signed_data(bytes) ? Bytes(bytes.begin(), bytes.end()) : Bytes{};
  }
  const auto body = text.find('\n', begin);
  const auto end = text.find("-----END ", begin);
  if (body == std::string_view::npos || end == std::string_view::npos || end < body) {
    return {};
  }
  auto der = from_base64(text.substr(body + 1, end - body - 1));
  return der && cms::parse_signed_data(*der) ? std::move(*der) : Bytes{};
}

/// Refuses a ready signature that was made over other bytes.
Result<void> check_same_file(Signable& file, ByteView cms) {
  SIGNCTL_TRY(const auto data, parse_one_signer(cms), "");
  SIGNCTL_TRY(
      const auto claimed,
      file.parse_content(data.content, data.signers.front().digest_alg.value_or(DigestAlg::sha256)),
      "reading the signature's content");
  const DigestAlg alg = claimed.alg;
  SIGNCTL_TRY(const auto digests, file.file_digests({&alg, 1}), "computing the digest");
  if (digests.front() == claimed.file_digest) {
    return ok();
  }
  SIGNCTL_TRY(const auto wanted, file.content_to_sign(alg), "computing the digest");
  if (wanted.file_digest != claimed.file_digest) {
    return Error{ErrorKind::input,
                 "the signature is over another file: it says " + std::string(digest_name(alg)) +
                     " " + to_hex(claimed.file_digest) + ", this file has " +
                     to_hex(wanted.file_digest),
                 "sign the digest that signctl digest prints for this very file"};
  }
  return ok();
}

/// Whether there is nothing but ASCII text: tools of key services print values in Base64.
bool is_text(ByteView octets) {
  return std::all_of(octets.begin(), octets.end(), [](std::uint8_t octet) {
    return (octet >= 0x20 && octet < 0x7F) || octet == '\n' || octet == '\r';
  });
}

/// Whether the octets may be a bare signature value: of an RSA key of the usual sizes, or ECDSA's
/// two numbers, as Ecdsa-Sig-Value (RFC 3279, 2.2.3) or one behind the other.
bool may_be_signature_value(ByteView octets) {
  constexpr std::array<std::size_t, 7> kSizes{64, 96, 132, 256, 384, 512, 1024};
  constexpr std::size_t kLargestEcdsa = 141;  // Of P-521.
  constexpr std::uint8_t kSequence = 0x30;
  if (is_text(octets)) {
    return false;
  }
  if (octets.size() > 2 && octets.size() <= kLargestEcdsa && octets[0] == kSequence) {
    const bool is_long = octets[1] == 0x81;
    if (octets.size() == (is_long ? 3U + octets[2] : 2U + octets[1])) {
      return true;
    }
  }
  return std::find(kSizes.begin(), kSizes.end(), octets.size()) != kSizes.end();
}

Error no_signature_to_attach(ByteView signature) {
  if (may_be_signature_value(signature)) {
    return {ErrorKind::usage,
            "the signature is a bare value, and comes without its certificate",
            "give the certificate chain with --chain"};
  }
  return {ErrorKind::input,
          "the signature file is neither a PKCS #7 signature nor a signature value: it is damaged, "
          "cut off, or something else (" +
              std::to_string(signature.size()) + " bytes)",
          is_text(signature)
              ? "it is text: a signature value in Base64 has to be decoded first (base64 -d)"
              : "take a PKCS #7 file as DER or PEM, or a signature value together with --chain"};
}

/// The same as check_made(), of a value that a file brings.
Result<void> check_brought(const UnsignedSignature& prepared, const SignedDigest& brought) {
  auto checked = check_made(prepared, brought);
  if (!checked && checked.error().kind == ErrorKind::provider) {
    checked.error().kind = ErrorKind::input;
    checked.error().hint =
        "the file is damaged or cut off, belongs to another certificate, or was made over other "
        "attributes: description, URL and digest have to be those given to signctl digest";
  }
  return checked;
}

/// A ready ContentInfo, or one built around a raw signature value.
Result<FinishedSignature> signature_to_attach(OpenedFile& opened,
                                              ByteView signature,
                                              const AttachRequest& request,
                                              const Placement& placement,
                                              Timestamper* timestamper) {
  Bytes ready = content_info_from(signature);
  if (ready.empty()) {
    if (request.chain.empty() || !may_be_signature_value(signature)) {
      return no_signature_to_attach(signature);
    }
    SIGNCTL_TRY(
        const auto prepared, prepare(*opened.signable, request.task.options, placement), "");
    const SignedDigest made{Bytes(signature.begin(), signature.end()), request.chain};
    SIGNCTL_CHECK(check_brought(prepared, made), "");
    return finish(prepared, made, request.task.options, timestamper);
  }
  SIGNCTL_CHECK(check_same_file(*opened.signable, ready), "");
  FinishedSignature finished{std::move(ready), {}};
  SIGNCTL_TRY(const auto data, parse_one_signer(finished.cms), "");
  const SignatureProfile profile = opened.signable->profile();
  if (timestamper != nullptr && !has_timestamp(data.signers.front(), profile)) {
    SIGNCTL_TRY(
        finished.cms,
        restamp(
            finished.cms, profile, request.task.options, *timestamper, finished.timestamp_source),
        "");
  }
  return finished;
}

/// What is signed depends on the certificate and the time: a value made elsewhere does not do.
Error no_detached_flow(const OpenedFile& opened) {
  return {ErrorKind::unsupported,
          "the XML signature of a file of type " + std::string(opened.format->name()) +
              " is made in one go, so that there is no detached flow for it",
          "sign them with signctl sign"};
}

Result<FileOutcome> attach_opened(OpenedFile& opened,
                                  ByteView signature,
                                  const AttachRequest& request,
                                  Stages& stages) {
  const SignOptions& options = request.task.options;
  if (opened.signable->scheme() != nullptr) {
    return no_detached_flow(opened);
  }
  SIGNCTL_TRY(const auto stored, stored_signatures(*opened.signable), "");
  if (!stored.empty() && options.if_signed != IfSigned::append &&
      options.if_signed != IfSigned::replace) {
    return Error{ErrorKind::input,
                 "the file is signed already",
                 "say what you want: --if-signed append or replace"};
  }
  SIGNCTL_TRY(Placement placement, place(*opened.signable, options.if_signed), "");
  SIGNCTL_TRY(Draft draft, Draft::begin(opened.source, request.task.output), "creating the draft");
  SIGNCTL_TRY(auto finished,
              signature_to_attach(opened, signature, request, placement, stages.timestamper),
              "");
  SIGNCTL_TRY(const auto signatures, combine(std::move(placement), std::move(finished.cms)), "");
  SIGNCTL_TRY(auto outcome, embed_and_commit(opened, std::move(draft), signatures, stages), "");
  outcome.path = request.task.output;
  outcome.timestamp_source = std::move(finished.timestamp_source);
  return outcome;
}

Result<FileOutcome> remove_opened(OpenedFile& opened, const std::string& output) {
  SIGNCTL_TRY(const auto stored, opened.signable->signatures(), "reading the signatures");
  FileOutcome outcome;
  outcome.path = output;
  outcome.state = FileState::skipped;
  outcome.reason = "not signed";
  if (stored.empty() && output == opened.source->path()) {
    return outcome;
  }
  SIGNCTL_TRY(Draft draft, Draft::begin(opened.source, output), "creating the draft");
  SIGNCTL_TRY(const PatchSet patches, opened.signable->strip(), "taking the signatures off");
  SIGNCTL_CHECK(draft.apply(patches), "writing the draft");
  SIGNCTL_TRY(OpenedFile written, open_draft(draft.path(), opened), "reading the draft back");
  SIGNCTL_TRY(const auto left, written.signable->signatures(), "reading the draft back");
  if (!left.empty()) {
    return Error{ErrorKind::internal, "signatures are left after their removal"};
  }
  SIGNCTL_CHECK(draft.commit(), "putting the file in place");
  if (!stored.empty()) {
    outcome.state = FileState::done;
    outcome.reason.clear();
  }
  return outcome;
}

}  // namespace

Result<FileOutcome> timestamp_file(const FileTask& task, Stages& stages) {
  SIGNCTL_ASSERT(stages.timestamper != nullptr && stages.gate != nullptr);
  SIGNCTL_TRY(OpenedFile opened, open_file(task.input), "");
  auto outcome = timestamp_opened(opened, task, stages);
  if (!outcome) {
    return std::move(outcome).error().within("timestamping " + task.input);
  }
  return outcome;
}

Result<FileOutcome> attach_signature(const AttachRequest& request,
                                     ByteView signature,
                                     Stages& stages) {
  SIGNCTL_ASSERT(stages.gate != nullptr);
  SIGNCTL_TRY(OpenedFile opened, open_file(request.task.input), "");
  auto outcome = attach_opened(opened, signature, request, stages);
  if (!outcome) {
    return std::move(outcome).error().within("attaching a signature to " + request.task.input);
  }
  return outcome;
}

Result<FileOutcome> remove_signatures(const std::string& input, const std::string& output) {
  SIGNCTL_TRY(OpenedFile opened, open_file(input), "");
  auto outcome = remove_opened(opened, output);
  if (!outcome) {
    return std::move(outcome).error().within("removing the signatures of " + input);
  }
  return outcome;
}

Result<DigestFacts> digest_file(const std::string& path, const SignOptions& options) {
  SIGNCTL_TRY(OpenedFile opened, open_file(path), "");
  if (opened.signable->scheme() != nullptr) {
    return no_detached_flow(opened);
  }
  SIGNCTL_TRY(const Placement placement, place(*opened.signable, options.if_signed), "");
  DigestFacts facts;
  facts.format = std::string(opened.format->name());
  facts.alg = options.digest;
  if (names_signatory(*opened.signable)) {
    SIGNCTL_CHECK(announce(*opened.signable, options, placement), "");
    SIGNCTL_TRY(auto content, opened.signable->content_to_sign(options.digest), "reading " + path);
    facts.file_digest = std::move(content.file_digest);
    return facts;
  }
  SIGNCTL_TRY(auto prepared, prepare(*opened.signable, options, placement), "reading " + path);
  facts.file_digest = std::move(prepared.content.file_digest);
  facts.signed_attributes_set = std::move(prepared.attributes_set);
  facts.to_be_signed = std::move(prepared.to_be_signed);
  return facts;
}

Result<Bytes> extract_signature(const std::string& path, std::size_t index) {
  SIGNCTL_TRY(OpenedFile opened, open_file(path), "");
  if (opened.signable->scheme() != nullptr) {
    return no_detached_flow(opened);
  }
  SIGNCTL_TRY(auto signatures, stored_signatures(*opened.signable), "reading " + path);
  if (signatures.empty()) {
    return not_signed(path);
  }
  if (index >= signatures.size()) {
    return Error{ErrorKind::input,
                 path + " has " + std::to_string(signatures.size()) +
                     " top-level signature(s), no number " + std::to_string(index + 1)};
  }
  return std::move(signatures[index]);
}

}  // namespace signctl::engine
