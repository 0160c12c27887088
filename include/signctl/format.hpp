// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>
#include <signctl/digest_alg.hpp>
#include <signctl/finding.hpp>
#include <signctl/patch_set.hpp>
#include <signctl/result.hpp>
#include <signctl/signature_scheme.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace signctl {

/// How a second signature joins the first.
enum class AppendStyle {
  none,              ///< The format holds one signature only.
  nested,            ///< Unsigned attribute 1.3.6.1.4.1.311.2.4.1 of the first signature.
  separate_entries,  ///< A further top-level entry beside the first (EFI images).
};

/// What a format can do. `signctl formats` and the documentation are generated from this.
struct FormatCapabilities {
  bool sign{false};
  bool verify{false};
  bool append{false};
  bool timestamp{false};
  bool remove{false};
  bool detached{false};  ///< digest, attach and extract
  bool page_hashes{false};
  bool exchange{false};  ///< What is inside can be exchanged.
};

/// How sure a format is that a file is one of its own.
enum class Sniff { no, maybe, yes };

/// What sniffing may look at.
struct SniffInput {
  ByteView head;               ///< First bytes, up to 4096.
  ByteView tail;               ///< Last bytes, up to 4096.
  std::string_view extension;  ///< Lower case without the dot, as a hint only; may be empty.
  /// What the directory of a ZIP archive makes of it: "msix", "nuget", "vsix", or "zip" when it has
  /// the marks of none. Several when it has those of several; empty for what is no ZIP archive.
  std::span<const std::string_view> archive_kinds{};
};

/// A half-open range [begin, end) of file offsets.
struct HashedRange {
  std::uint64_t begin{};
  std::uint64_t end{};
  std::string what;  ///< For people: "headers up to CheckSum".
};

/// What goes into the signature as its content.
struct SigningContent {
  std::string content_type;  ///< Dotted OID of eContentType.
  Bytes econtent;            ///< DER, the complete TLV (for Authenticode SpcIndirectDataContent).
  Bytes file_digest;         ///< Raw digest of the file that `econtent` carries.
  DigestAlg alg{DigestAlg::sha256};
};

/// One signature as stored at the top level of the file. Nested ones are inside `cms`.
struct EmbeddedSignature {
  Bytes cms;               ///< DER ContentInfo, container padding removed.
  std::string location;    ///< For people: "certificate table entry 1 at offset 40960".
  std::uint64_t offset{};  ///< File offset of the container's record for it.
  std::uint64_t size{};    ///< Size of that record in bytes.
};

/// Which rules the SignedData around the content follows.
enum class Envelope {
  authenticode,  ///< PKCS #7 1.5 (RFC 2315) with the attributes that signtool writes.
  cms,           ///< RFC 5652: content in an OCTET STRING, attributes of the format's own.
};

/// What the signatures of a file type look like.
struct SignatureProfile {
  Envelope envelope{Envelope::authenticode};
  /// Dotted eContentType: SpcIndirectDataContent unless the format says otherwise.
  std::string_view content_type{"1.3.6.1.4.1.311.2.1.4"};
  /// Dotted OID of the unsigned attribute that holds the RFC 3161 token.
  std::string_view timestamp_attribute{"1.3.6.1.4.1.311.3.3.1"};
  /// Dotted OID in the commitment-type-indication attribute (RFC 5035, CAdES) of a new signature,
  /// which then also names its certificate and the time; empty for signatures without these.
  std::string_view commitment_type{};
};

/// Names for the files in a container, by the names that are stored in it.
using MemberNames = std::map<std::string, std::string>;

/// A file stored inside this one: in a package, an archive, or a cabinet within an installer.
struct Member {
  std::string path;      ///< Within this file, with `/`, UTF-8: "app.cab/setup.exe".
  std::uint64_t size{};  ///< Unpacked, in bytes, as the container claims.
  /// What the files in this one are called; empty when it says so itself. An installer's cabinets
  /// have keys in the place of names.
  std::shared_ptr<const MemberNames> names{};
};

/// Other bytes for a member.
struct Replacement {
  std::size_t index{};  ///< Position in members().
  std::shared_ptr<const ByteSource> bytes;
};

/// A file elsewhere that this one vouches for by its digest: a member of a catalog.
struct VouchedFile {
  std::string name;              ///< As the catalog calls it, UTF-8; empty if it does not.
  Bytes tag;                     ///< The hash that identifies it; empty if that is no hash.
  std::optional<DigestAlg> alg;  ///< Of `digest`; empty if the entry carries none.
  Bytes digest;                  ///< Raw.
};

/// A fact about a file that `inspect` shows: name and value, both for people.
struct FileFact {
  std::string name;
  std::string value;
};

/// One opened file, read-only. It never writes and never learns an output path.
///
/// Not safe to share between threads.
class Signable {
 public:
  virtual ~Signable() = default;

  /// The ranges of the file that the digest covers, in hashing order. Zero bytes that are hashed
  /// after the last range are not listed.
  virtual Result<std::vector<HashedRange>> hashed_ranges() = 0;

  /// The file's digest under each of `algs`, raw, in the same order, from one pass over the bytes.
  /// Digests already computed are remembered; ask for all that are needed at once.
  virtual Result<std::vector<Bytes>> file_digests(std::span<const DigestAlg> algs) = 0;

  /// Says that the next signature joins those that are there, which must stay valid. Asked before
  /// content_to_sign() when a file is signed once more.
  ///
  /// @errors `unsupported` when a signature with `alg` cannot join them.
  virtual Result<void> keep_signatures(DigestAlg /*alg*/) { return {}; }

  /// Says that the next signature is over each page as well (signtool /ph). Asked before
  /// content_to_sign(). No contents are hashed yet.
  ///
  /// @errors `unsupported` when this type of file has no page hashes, or its layout does not allow
  ///         them.
  virtual Result<void> hash_pages() {
    return Error{ErrorKind::unsupported,
                 "this type of file has no page hashes",
                 "leave --page-hashes out, or sign such files in a step of their own"};
  }

  /// Whether the file as it is can be signed with `alg`, as far as its headers tell: what the gate
  /// would refuse afterwards is refused before a signature is spent. No contents are hashed.
  /// content_to_sign() and the scheme's prepare() refuse the same.
  ///
  /// @errors `input` or `unsupported` with the reason.
  virtual Result<void> check_signable(DigestAlg /*alg*/) { return {}; }

  /// The content to sign with `alg`. Where a file gains more than the signature by being signed,
  /// this is its digest as it will be then, and file_digests() that as it is.
  virtual Result<SigningContent> content_to_sign(DigestAlg alg) = 0;

  /// Signatures present at the top level, in file order; empty if unsigned.
  ///
  /// @errors `input` when the container of the signatures cannot be walked at all. Anything that
  ///         can be walked but should not be there is left to container_findings().
  virtual Result<std::vector<EmbeddedSignature>> signatures() = 0;

  /// Everything wrong or odd with the container: bytes after the signature, padding that is not
  /// zero, sections that reach into the certificate table, a stale checksum. Ids are the format's
  /// own with its name in front: "pe-data-after-signature".
  virtual Result<std::vector<Finding>> container_findings() = 0;

  /// Compares a signature's content with this file beyond the digest: data type, page hashes.
  ///
  /// @param econtent  DER of the complete content TLV of one signature over this file.
  /// @return  Findings, subject empty (the caller fills it in); empty vector when all agrees.
  virtual Result<std::vector<Finding>> check_content(ByteView econtent) = 0;

  /// The digest that `econtent` claims for this file, and its algorithm.
  ///
  /// @param signer_alg  The signer's digest algorithm, for content that names none (catalogs).
  /// @errors `input` when `econtent` is not of the structure this format demands.
  virtual Result<SigningContent> parse_content(ByteView econtent, DigestAlg signer_alg) = 0;

  /// How a second signature joins the first in this very file.
  [[nodiscard]] virtual AppendStyle append_style() const = 0;

  /// The edits that make exactly `signatures` (DER ContentInfos) the file's top-level signatures.
  virtual Result<PatchSet> embed(std::span<const Bytes> signatures) = 0;

  /// The edits that take all signatures off.
  virtual Result<PatchSet> strip() = 0;

  /// Facts about the file for `inspect`: machine, subsystem, sizes, checksum.
  virtual Result<std::vector<FileFact>> facts() = 0;

  /// What this file's signatures look like.
  [[nodiscard]] virtual SignatureProfile profile() const { return {}; }

  /// How this file is signed when its signatures are not CMS; null when they are. Owned by this.
  [[nodiscard]] virtual SignatureScheme* scheme() { return nullptr; }

  /// Whether a certificate may sign this file at all: a package names its publisher. Asked before
  /// a signature is spent, and again of every signature that is verified.
  ///
  /// @param leaf_der  The signing certificate, DER.
  /// @return  Findings, subject empty; one of severity error forbids signing.
  virtual Result<std::vector<Finding>> check_certificate(ByteView /*leaf_der*/) {
    return std::vector<Finding>{};
  }

  /// The files elsewhere that this one vouches for, in stored order; empty for what is no catalog.
  virtual Result<std::vector<VouchedFile>> vouched_files() { return std::vector<VouchedFile>{}; }

  /// The files stored inside this one, in stored order; empty for what holds none.
  ///
  /// @errors `input` when the directory of the container is malformed; `unsupported` for a
  ///         compression that is not read.
  virtual Result<std::vector<Member>> members() { return std::vector<Member>{}; }

  /// Tells this file what its members are called, which members() then uses: Member::names.
  virtual void name_members(std::shared_ptr<const MemberNames> /*names*/) {}  // NOLINT: a sink

  /// The unpacked bytes of a member. They live as long as the result does, which may outlive this
  /// object; large ones are on disk, not in memory.
  ///
  /// @param index  Position in members().
  /// @errors `input` when the member is malformed or larger than it claims; `output` when there is
  ///         no room to unpack it.
  virtual Result<std::shared_ptr<const ByteSource>> open_member(std::size_t /*index*/) {
    return Error{ErrorKind::internal, "this file type has no members"};
  }

  /// The edits that exchange the bytes of some members. Signatures of the file's own do not
  /// survive: the result is unsigned.
  ///
  /// @errors `unsupported` for types whose contents cannot be exchanged.
  virtual Result<PatchSet> exchange_members(std::span<const Replacement> /*replacements*/) {
    return Error{ErrorKind::unsupported,
                 "what is inside this file type cannot be exchanged",
                 "sign the files before they are packed"};
  }
};

/// A file type. Stateless; one instance per type, listed in formats/builtin.cpp.
class Format {
 public:
  virtual ~Format() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;   ///< "pe"
  [[nodiscard]] virtual std::string_view title() const = 0;  ///< "Portable Executable"
  [[nodiscard]] virtual std::span<const std::string_view> extensions()
      const = 0;  ///< Without dots.
  [[nodiscard]] virtual FormatCapabilities capabilities() const = 0;

  /// Decides from the first and last bytes, without I/O and without a full parse.
  [[nodiscard]] virtual Sniff sniff(const SniffInput& input) const = 0;

  /// Parses the headers and takes shared ownership of the source.
  ///
  /// @errors `input` when the file is malformed; `unsupported` when it is a variant we refuse.
  virtual Result<std::unique_ptr<Signable>> open(
      std::shared_ptr<const ByteSource> source) const = 0;

  /// open(), for types whose variants only the name tells apart.
  ///
  /// @param extension  Of the name that the file is known by, lower case without the dot; may be
  ///                   empty.
  virtual Result<std::unique_ptr<Signable>> open_named(std::shared_ptr<const ByteSource> source,
                                                       std::string_view /*extension*/) const {
    return open(std::move(source));
  }

  /// Whether a file that was not named, but found in a folder or a container, is meant to be
  /// signed: of some types most files are not.
  [[nodiscard]] virtual bool is_meant_unnamed(std::string_view /*extension*/) const { return true; }

  /// Whether a file of this type that lies inside another must be signed itself, as what Windows
  /// runs and installs must; what only carries files need not.
  [[nodiscard]] virtual bool needs_own_signature() const { return true; }
};

/// All formats of this build, in detection order.
[[nodiscard]] std::span<const Format* const> builtin_formats();

/// The extension of the last component of a path, lower case without the dot; empty if it has none.
[[nodiscard]] std::string extension_of(std::string_view path_utf8);

/// The format of `source`: by content first, `path`'s extension only to break ties between
/// "maybe"s.
///
/// @errors `unsupported` when no format recognises it; `input` for an empty file.
Result<const Format*> detect_format(const ByteSource& source, std::string_view path_utf8);

/// detect_format(), with null for a file that no format recognises.
Result<const Format*> find_format(const ByteSource& source, std::string_view path_utf8);

}  // namespace signctl
