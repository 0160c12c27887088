// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>
#include <signctl/secret.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What is asked of a module, and what it answers: plain values, so that the module may be in this
// process or in another.
//
// On the wire a message is a frame: its length as 32 bits, the protocol's version as 32 bits, then
// the fields of Request or Reply in the order below. Numbers are 64 bits, all little-endian; texts
// and octets have their length in front; lists their count. A frame is at most kLargestMessage
// octets, and is refused if anything is missing or left over.
namespace signctl::providers::pkcs11 {

inline constexpr std::uint32_t kProtocolVersion = 2;
inline constexpr std::size_t kLargestMessage = std::size_t{4} << 20U;
inline constexpr std::size_t kFrameHeader = 4;

enum class Operation : std::uint8_t {
  load,        ///< Load and initialise `module`.
  attach,      ///< One more link to the worker; a descriptor comes along.
  slots,       ///< List slots and tokens.
  token,       ///< Token of `slot` alone, for its flags.
  mechanisms,  ///< List the signing mechanisms of `slot`.
  login,       ///< Log `user` in to `slot`, with `pin` or on a protected path.
  objects,     ///< List keys and certificates of `slot`.
  sign,        ///< Sign `data` with `key`, logging in for this one signature if `context_login`.
  drop,        ///< Close this link's session, for a new one on the next call.
};
inline constexpr Operation kLastOperation = Operation::drop;

struct Request {
  Operation operation{Operation::slots};
  std::string module{};
  std::uint64_t slot{};
  std::uint64_t key{};
  std::uint64_t mechanism{};
  std::uint64_t user{};
  bool context_login{false};
  Bytes data{};
  std::optional<Secret> pin{};  ///< Empty: a protected path, where the PIN is not ours to send.
};

struct ModuleInfo {
  std::string manufacturer;
  std::string description;
  std::string version;
  bool threads{true};  ///< Whether it may be used from several threads at once.
};

struct Token {
  std::string label;
  std::string manufacturer;
  std::string model;
  std::string serial;
  std::string firmware;
  std::uint64_t flags{};
  std::uint64_t max_sessions{};

  bool operator==(const Token&) const = default;
};

struct Slot {
  std::uint64_t id{};
  std::string description;
  std::string manufacturer;
  std::optional<Token> token;
};

struct MechanismFacts {
  std::uint64_t type{};
  std::uint64_t min_key_size{};
  std::uint64_t max_key_size{};
  std::uint64_t flags{};
};

enum class ObjectClass : std::uint8_t { certificate, public_key, private_key };
inline constexpr ObjectClass kLastObjectClass = ObjectClass::private_key;

/// Attributes that the module did not give are empty.
struct Object {
  std::uint64_t handle{};
  ObjectClass kind{};
  std::uint64_t key_type{};
  std::string label;
  Bytes id;
  Bytes value;  ///< A certificate's DER.
  Bytes modulus;
  Bytes exponent;
  Bytes ec_parameters;
  Bytes ec_point;
  Bytes public_key_info;
  std::vector<std::uint64_t> allowed_mechanisms;  ///< Empty: the token does not limit the key.
  bool may_sign{true};
  bool always_authenticate{false};
};

struct Reply {
  std::uint64_t rv{};
  std::string call;  ///< The function that returned it, "C_Login".
  std::string text;  ///< What the system said of a module that could not be loaded.
  ModuleInfo module;
  std::vector<Slot> slots;
  std::vector<MechanismFacts> mechanisms;
  std::vector<Object> objects;
  Bytes signature;
};

/// Whole frames. A request's may hold a PIN: wipe it.
[[nodiscard]] Bytes encode(const Request& request);
[[nodiscard]] Bytes encode(const Reply& reply);

/// The payload's size from a frame's header.
///
/// @errors `internal` when it is larger than any message.
Result<std::size_t> payload_size(ByteView header);

/// Messages from payloads (frames without their header).
///
/// @errors `internal` for anything but exactly one message.
Result<Request> decode_request(ByteView payload);
Result<Reply> decode_reply(ByteView payload);

}  // namespace signctl::providers::pkcs11
