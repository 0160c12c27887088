// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/format.hpp>
#include <signctl/policy.hpp>
#include <signctl/provider.hpp>
#include <signctl/report.hpp>
#include <signctl/result.hpp>
#include <signctl/timestamper.hpp>
#include <signctl/trust_store.hpp>
#include <signctl/world.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace signctl::engine {

class Shelf;

/// What to do with a file that is signed already.
enum class IfSigned { fail, skip_valid, append, replace };

/// The gate's settings: whom to trust, and the rules.
struct Gate {
  std::shared_ptr<const TrustStore> store;
  bool trust_signer{false};
  GateRules rules;
};

/// Whether to hash each page as well (signtool /ph).
enum class PageHashes { off, on };

/// What one signature is to be.
struct SignOptions {
  DigestAlg digest{DigestAlg::sha256};
  DigestAlg timestamp_digest{DigestAlg::sha256};
  std::string description;
  std::string url;
  PageHashes page_hashes{PageHashes::off};
  IfSigned if_signed{IfSigned::fail};
  bool deep{false};  ///< First sign what is inside and unsigned, and pack it anew.
};

/// One file's way through the pipeline.
struct FileTask {
  std::string input;   ///< UTF-8 path.
  std::string output;  ///< Equal to input to sign in place.
  SignOptions options;
  std::string step{};  ///< Files of one step are signed together, and before those of the next.
};

enum class FileState { done, skipped, refused };

/// How it ended. `refused` means the gate said no and nothing was written.
struct FileOutcome {
  FileState state{FileState::refused};
  std::string path;
  std::string reason;  ///< Why it was skipped; empty otherwise.
  Report report;
  Verdict verdict;
  std::string timestamp_source;
  std::vector<std::string> signed_inside{};  ///< Paths within the file, for SignOptions::deep.
  std::string signer{};  ///< Name of the signer whose signature it is; empty if it is not new.
  /// Where the signature was found when none had to be made: "the cache".
  std::string reused{};
};

/// What a run shares between its files. Borrowed.
struct Stages {
  SigningSession* session{};   ///< Null for verbs that do not sign.
  Timestamper* timestamper{};  ///< Null when no timestamp is wanted.
  const Gate* gate{};
  Clock* clock{};
  Shelf* shelf{};          ///< Signatures that there are already; null when none are remembered.
  std::string identity{};  ///< Names the session's signer on the shelf.
  /// Whether what is on the shelf under `identity`, by the certificate `leaf`, is by one of the
  /// run's signers. Empty: whoever made it will do.
  std::function<Result<bool>(const std::string& identity, const CertificateInfo& leaf)> is_ours{};
  /// The chain that the session's signer is expected to sign with; never waits for a signature.
  /// Empty where nobody has logged in.
  std::function<Result<std::vector<Bytes>>()> known_chain{};
  /// The chain that the gate was found to trust for the file before, which need not be asked again
  /// before a signature is spent. Null: it is asked for each file.
  std::vector<Bytes>* approved{};
};

/// Signs one file: digest, sign, timestamp, embed, write a draft, gate the draft, rename it.
/// Whatever fails and whenever the process dies, the output is its old bytes or signed and passing.
Result<FileOutcome> sign_file(const FileTask& task, Stages& stages);

/// What sign_file() would do with a file, without a signer and without writing.
///
/// @param stages  Gate and clock; shelf and is_ours if there is a journal.
/// @return  Empty when it would be signed; the outcome when it would be skipped, or refused for the
///          signatures that it holds.
/// @errors  What would fail.
Result<std::optional<FileOutcome>> foresee_file(const FileTask& task, const Stages& stages);

/// What a run that died has paid for a file that is still to be signed.
enum class Paid {
  nothing,   ///< As far as the journal can tell.
  accepted,  ///< The service has accepted to make the signature: it is to be fetched.
  made,      ///< The journal has the signature.
};

/// @param stages  Shelf and is_ours.
Result<Paid> paid_before(const FileTask& task, const Stages& stages);

/// Runs the gate on a file.
Result<FileOutcome> verify_file(const std::string& path, const Gate& gate, TimePoint now);

/// A security catalog that went through the gate, and what it vouches for. May be shared between
/// threads.
struct JudgedCatalog {
  FileOutcome outcome;
  std::vector<VouchedFile> files;
};

/// Runs the gate on a catalog.
///
/// @errors `input` or `unsupported` when it cannot be read or vouches for no file. A catalog that
///         the gate refuses is no error here; every file judged by it is refused then.
Result<JudgedCatalog> open_catalog(const std::string& path, const Gate& gate, TimePoint now);

/// Judges a file by a catalog instead of a signature of its own: the catalog must have passed, and
/// hold the file's digest (that of its type for what can be signed itself, or that of all its
/// bytes). The report has the catalog's signatures.
Result<FileOutcome> verify_by_catalog(const std::string& path, const JudgedCatalog& catalog);

/// Adds or replaces the timestamp of the file's signatures (each that is not nested, and nested
/// ones).
Result<FileOutcome> timestamp_file(const FileTask& task, Stages& stages);

/// Takes all signatures off.
Result<FileOutcome> remove_signatures(const std::string& input, const std::string& output);

/// A signature made elsewhere, and what to do with it.
struct AttachRequest {
  FileTask task;
  std::vector<Bytes> chain;  ///< DER, leaf first; only for a raw signature value.
};

/// Embeds a signature made elsewhere: a ContentInfo as DER or PEM, or the raw signature value over
/// the signed attributes that `request.task.options` describe, with the chain that made it. Adds a
/// timestamp when `stages.timestamper` is given and the signature has none.
Result<FileOutcome> attach_signature(const AttachRequest& request,
                                     ByteView signature,
                                     Stages& stages);

/// What would be signed, for `digest`.
struct DigestFacts {
  std::string format;
  DigestAlg alg{DigestAlg::sha256};
  Bytes file_digest;  ///< The Authenticode digest.
  /// DER; its hash is what a service signs. Empty for types whose signatures name signer and time.
  Bytes signed_attributes_set;
  Bytes to_be_signed;  ///< That hash; empty with it.
};
Result<DigestFacts> digest_file(const std::string& path, const SignOptions& options);

/// The primary (or `index`th top-level) signature as DER ContentInfo.
Result<Bytes> extract_signature(const std::string& path, std::size_t index);

}  // namespace signctl::engine
