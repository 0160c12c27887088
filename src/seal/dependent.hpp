// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/digest_alg.hpp>
#include <signctl/result.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// Files that say something of other files' bytes: their hash or their size.
namespace signctl::seal {

/// What a place in a dependent file says.
enum class Fact {
  digest,          ///< Of the whole file.
  size,            ///< In octets, decimal.
  signature_part,  ///< SHA-256 of the AppxSignature.p7x inside (winget's SignatureSha256).
  block_map,       ///< Belongs to a `.blockmap` of the file: goes when the file has changed.
  foreign          ///< A signature over the file that we hold no key for.
};

enum class Encoding { hex, base64 };

/// One such place.
struct Slot {
  std::size_t begin{};  ///< Octets of the text that hold the value; of a block map the whole line.
  std::size_t end{};
  std::string target;     ///< The file meant: a path from the dependent's folder, or a bare name.
  std::string address{};  ///< The URL that the name is from, without fragment; empty for a path.
  bool dashed{false};     ///< A dash in the name may stand for a blank in the file's.
  Fact fact{Fact::digest};
  DigestAlg alg{DigestAlg::sha256};
  /// The number of digits alone says which hash it is, and others have as many.
  bool guessed{false};
  Encoding encoding{Encoding::hex};
  std::string label;  ///< What the place is called there: "sha512", "InstallerSha256".
};

/// A type of dependent file. Stateless; listed in seal/builtin.cpp.
class Dependent {
 public:
  virtual ~Dependent() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;   ///< "electron"
  [[nodiscard]] virtual std::string_view title() const = 0;  ///< "electron-builder update file"

  /// Whether a file is of this type, from its name (last component) and text. Exact: what is
  /// claimed here and cannot be read is an error.
  [[nodiscard]] virtual bool recognises(std::string_view file_name,
                                        std::string_view text) const = 0;

  /// Extension of a file that may lie beside each one meant and describes its bytes; it cannot be
  /// kept right and goes when that file has changed.
  [[nodiscard]] virtual std::string_view companion() const { return {}; }

  /// Whether the text holds a signature over itself, which no change of it survives.
  [[nodiscard]] virtual bool is_signed_inside(std::string_view /*text*/) const { return false; }

  /// Every place that says something of another file.
  ///
  /// @errors `input` for a malformed file, or one that says something in a way we cannot keep
  /// right.
  virtual Result<std::vector<Slot>> read(std::string_view file_name,
                                         std::string_view text) const = 0;
};

/// All of them, in the order in which they are asked.
[[nodiscard]] std::span<const Dependent* const> dependents();

/// Dependent::read(), sorted by place.
///
/// @errors as Dependent::read(); `input` also when two places overlap or a place names no file.
Result<std::vector<Slot>> slots_of(const Dependent& dependent,
                                   std::string_view file_name,
                                   std::string_view text);

/// The type of a file; null if it is none.
[[nodiscard]] const Dependent* find_dependent(std::string_view file_name, std::string_view text);

}  // namespace signctl::seal
