// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// DER (X.690) reading and writing. Reading is strict: definite, minimal lengths; low tag numbers.
namespace signctl::der {

/// Identifier octets that signctl meets.
enum Tag : std::uint8_t {
  kBoolean = 0x01,
  kInteger = 0x02,
  kBitString = 0x03,
  kOctetString = 0x04,
  kNull = 0x05,
  kOid = 0x06,
  kUtf8String = 0x0C,
  kPrintableString = 0x13,
  kIa5String = 0x16,
  kUtcTime = 0x17,
  kGeneralizedTime = 0x18,
  kBmpString = 0x1E,
  kSequence = 0x30,
  kSet = 0x31,
};

/// Context-specific identifier octet, constructed ([n] EXPLICIT or of a structure).
[[nodiscard]] constexpr std::uint8_t context(unsigned number) {
  return static_cast<std::uint8_t>(0xA0U | number);
}
/// Context-specific identifier octet, primitive ([n] IMPLICIT of a string).
[[nodiscard]] constexpr std::uint8_t context_primitive(unsigned number) {
  return static_cast<std::uint8_t>(0x80U | number);
}

/// One tag-length-value. Views into the buffer it was read from.
struct Tlv {
  std::uint8_t tag{};
  ByteView content;  ///< The value octets.
  ByteView full;     ///< Tag, length and value.
};

/// Walks the TLVs of one buffer, in order. Errors are `input`, say `what` was being read, and give
/// the offset inside the buffer.
class Parser {
 public:
  explicit Parser(ByteView bytes) : bytes_(bytes) {}

  [[nodiscard]] bool at_end() const noexcept { return position_ == bytes_.size(); }
  [[nodiscard]] std::size_t position() const noexcept { return position_; }
  /// What has not been read yet.
  [[nodiscard]] ByteView rest() const { return bytes_.subspan(position_); }
  /// Tag of the next element; empty at the end.
  [[nodiscard]] std::optional<std::uint8_t> peek() const;

  Result<Tlv> next(std::string_view what);
  /// next(), which must carry `tag`.
  Result<Tlv> expect(std::uint8_t tag, std::string_view what);
  /// The next element if it carries `tag`.
  Result<std::optional<Tlv>> optional(std::uint8_t tag, std::string_view what);
  /// An OBJECT IDENTIFIER, dotted.
  Result<std::string> oid(std::string_view what);
  /// A small non-negative INTEGER.
  Result<std::uint64_t> small_integer(std::string_view what);
  /// Refuses anything left over.
  Result<void> end(std::string_view what) const;

 private:
  ByteView bytes_;
  std::size_t position_{0};
};

/// The single TLV that fills `bytes` completely.
Result<Tlv> parse_whole(ByteView bytes, std::uint8_t tag, std::string_view what);

/// Refuses indefinite and non-minimal lengths anywhere inside, by walking constructed elements down
/// to `max_depth`.
Result<void> check_strict(ByteView bytes, int max_depth = 64);

/// Dotted form of the content octets of an OBJECT IDENTIFIER; arcs of any size.
Result<std::string> oid_text(ByteView content);

/// Algorithm OID of an AlgorithmIdentifier and its parameters (full TLV; empty if absent).
struct AlgorithmId {
  std::string oid;
  ByteView parameters;
};
Result<AlgorithmId> read_algorithm(Parser& parser, std::string_view what);

/// UTCTime or GeneralizedTime in the DER profile (Z, with seconds; fractions allowed and dropped
/// for GeneralizedTime), as seconds since 1970.
Result<std::int64_t> read_time(const Tlv& tlv, std::string_view what);

// Writing. Each returns the complete encoding.

[[nodiscard]] Bytes tlv(std::uint8_t tag, ByteView content);
[[nodiscard]] Bytes tlv(std::uint8_t tag, std::initializer_list<ByteView> parts);
[[nodiscard]] Bytes sequence(std::initializer_list<ByteView> parts);
[[nodiscard]] Bytes set(std::initializer_list<ByteView> parts);
/// SET OF: elements sorted by their encodings (X.690, 11.6).
[[nodiscard]] Bytes set_of(std::vector<Bytes> elements, std::uint8_t tag = kSet);
/// Dotted text must be a valid OID (programmer error otherwise).
[[nodiscard]] Bytes oid(std::string_view dotted);
[[nodiscard]] Bytes integer(std::uint64_t value);
/// INTEGER from an unsigned big-endian magnitude; leading zeros are dropped, one added if needed.
[[nodiscard]] Bytes unsigned_integer(ByteView magnitude);
[[nodiscard]] Bytes octet_string(ByteView content);
[[nodiscard]] Bytes null();
[[nodiscard]] Bytes boolean(bool value);
[[nodiscard]] Bytes generalized_time(std::int64_t unix_seconds);
/// AlgorithmIdentifier with explicit NULL parameters.
[[nodiscard]] Bytes algorithm_with_null(std::string_view dotted);
/// AlgorithmIdentifier without parameters.
[[nodiscard]] Bytes algorithm_bare(std::string_view dotted);
/// UTF-8 to UTF-16BE content octets for BMPString; code points above U+FFFF become surrogate pairs.
[[nodiscard]] Bytes bmp_content(std::string_view utf8);
/// BMPString content octets to UTF-8; lone surrogates become U+FFFD.
[[nodiscard]] std::string bmp_to_utf8(ByteView content);

}  // namespace signctl::der
