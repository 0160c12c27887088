// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/return_value.hpp"

#include "providers/pkcs11/cryptoki.hpp"

#include <algorithm>
#include <array>

namespace signctl::providers::pkcs11 {
namespace {

struct Row {
  ck::Rv value;
  std::string_view name;
  RvClass group;
  std::string_view hint{};
};

constexpr std::string_view kUnblock =
    "unblock or set the PIN with the vendor's tool (PUK or security officer); signctl will not try";
constexpr std::string_view kMechanismHint =
    "the token does not sign like this with this key; signctl doctor lists what it offers. HSMs in "
    "FIPS mode may refuse digests that were computed outside";

constexpr std::string_view kSessionsHint =
    "the token has no session left: end other programs that use it, set max_parallel lower, or run "
    "again later; this is not about the PIN";

constexpr std::array kRows{
    Row{ck::kOk, "CKR_OK", RvClass::good},
    Row{ck::kCancel, "CKR_CANCEL", RvClass::refused},
    Row{ck::kHostMemory, "CKR_HOST_MEMORY", RvClass::device},
    Row{ck::kSlotIdInvalid, "CKR_SLOT_ID_INVALID", RvClass::config},
    Row{ck::kGeneralError, "CKR_GENERAL_ERROR", RvClass::device},
    Row{ck::kFunctionFailed, "CKR_FUNCTION_FAILED", RvClass::device},
    Row{ck::kArgumentsBad, "CKR_ARGUMENTS_BAD", RvClass::config},
    Row{ck::kCantLock, "CKR_CANT_LOCK", RvClass::config},
    Row{ck::kDataInvalid, "CKR_DATA_INVALID", RvClass::config, kMechanismHint},
    Row{ck::kDataLenRange, "CKR_DATA_LEN_RANGE", RvClass::config, kMechanismHint},
    Row{ck::kDeviceError, "CKR_DEVICE_ERROR", RvClass::device},
    Row{ck::kDeviceMemory, "CKR_DEVICE_MEMORY", RvClass::device},
    Row{ck::kDeviceRemoved, "CKR_DEVICE_REMOVED", RvClass::token_gone, "plug the token in again"},
    Row{ck::kFunctionCanceled,
        "CKR_FUNCTION_CANCELED",
        RvClass::refused,
        "touch the token or use the pin pad in time; in CI set its touch policy to never or "
        "cached"},
    Row{ck::kFunctionNotSupported, "CKR_FUNCTION_NOT_SUPPORTED", RvClass::config},
    Row{ck::kKeyHandleInvalid, "CKR_KEY_HANDLE_INVALID", RvClass::stale_session},
    Row{ck::kKeySizeRange, "CKR_KEY_SIZE_RANGE", RvClass::config, kMechanismHint},
    Row{ck::kKeyTypeInconsistent, "CKR_KEY_TYPE_INCONSISTENT", RvClass::config, kMechanismHint},
    Row{ck::kKeyFunctionNotPermitted,
        "CKR_KEY_FUNCTION_NOT_PERMITTED",
        RvClass::config,
        "the key was made without the right to sign (CKA_SIGN)"},
    Row{ck::kMechanismInvalid, "CKR_MECHANISM_INVALID", RvClass::config, kMechanismHint},
    Row{ck::kMechanismParamInvalid, "CKR_MECHANISM_PARAM_INVALID", RvClass::config, kMechanismHint},
    Row{ck::kObjectHandleInvalid, "CKR_OBJECT_HANDLE_INVALID", RvClass::stale_session},
    Row{ck::kOperationActive, "CKR_OPERATION_ACTIVE", RvClass::stale_session},
    Row{ck::kOperationNotInitialized, "CKR_OPERATION_NOT_INITIALIZED", RvClass::stale_session},
    Row{ck::kPinIncorrect,
        "CKR_PIN_INCORRECT",
        RvClass::pin,
        "correct the PIN before the next run: each wrong one brings the token nearer to locking"},
    Row{ck::kPinInvalid,
        "CKR_PIN_INVALID",
        RvClass::pin,
        "the PIN has characters that the token does not take"},
    Row{ck::kPinLenRange,
        "CKR_PIN_LEN_RANGE",
        RvClass::pin,
        "the PIN is too short or too long; look for a blank or line break at its end"},
    Row{ck::kPinExpired, "CKR_PIN_EXPIRED", RvClass::pin, "change the PIN with the vendor's tool"},
    Row{ck::kPinLocked, "CKR_PIN_LOCKED", RvClass::pin, kUnblock},
    Row{ck::kSessionClosed, "CKR_SESSION_CLOSED", RvClass::stale_session},
    Row{ck::kSessionCount, "CKR_SESSION_COUNT", RvClass::resources, kSessionsHint},
    Row{ck::kSessionHandleInvalid, "CKR_SESSION_HANDLE_INVALID", RvClass::stale_session},
    Row{ck::kTokenNotPresent, "CKR_TOKEN_NOT_PRESENT", RvClass::token_gone, "plug the token in"},
    Row{ck::kTokenNotRecognized,
        "CKR_TOKEN_NOT_RECOGNIZED",
        RvClass::config,
        "this module is for other tokens; set module to the vendor's"},
    Row{ck::kUserAlreadyLoggedIn, "CKR_USER_ALREADY_LOGGED_IN", RvClass::good},
    Row{ck::kUserNotLoggedIn, "CKR_USER_NOT_LOGGED_IN", RvClass::stale_session},
    Row{ck::kUserPinNotInitialized, "CKR_USER_PIN_NOT_INITIALIZED", RvClass::pin, kUnblock},
    Row{ck::kUserTypeInvalid,
        "CKR_USER_TYPE_INVALID",
        RvClass::config,
        "set user_type to what the vendor documents"},
    Row{ck::kUserAnotherAlreadyLoggedIn, "CKR_USER_ANOTHER_ALREADY_LOGGED_IN", RvClass::config},
    Row{ck::kBufferTooSmall, "CKR_BUFFER_TOO_SMALL", RvClass::other},
    Row{ck::kCryptokiAlreadyInitialized, "CKR_CRYPTOKI_ALREADY_INITIALIZED", RvClass::good},
    Row{ck::kFunctionRejected,
        "CKR_FUNCTION_REJECTED",
        RvClass::refused,
        "the token or its operator refused to sign"},
    Row{ck::kTokenResourceExceeded,
        "CKR_TOKEN_RESOURCE_EXCEEDED",
        RvClass::resources,
        kSessionsHint},
    Row{ck::kKeyExhausted,
        "CKR_KEY_EXHAUSTED",
        RvClass::other,
        "the key has made as many signatures as it may"},
};

const Row* find_row(std::uint64_t rv) {
  const auto* const found =
      std::find_if(kRows.begin(), kRows.end(), [rv](const Row& row) { return row.value == rv; });
  return found == kRows.end() ? nullptr : found;
}

std::string hex_number(std::uint64_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  do {
    text.insert(text.begin(), kDigits[value & 0xFU]);
    value >>= 4U;
  } while (value != 0);
  return "0x" + text;
}

ErrorKind kind_of(RvClass group) {
  switch (group) {
    case RvClass::pin:
    case RvClass::refused:
      return ErrorKind::auth;
    case RvClass::token_gone:
    case RvClass::resources:
      return ErrorKind::network;
    case RvClass::config:
      return ErrorKind::unsupported;
    case RvClass::good:
    case RvClass::stale_session:
    case RvClass::device:
    case RvClass::other:
      return ErrorKind::provider;
  }
  return ErrorKind::provider;
}

}  // namespace

RvClass class_of(std::uint64_t rv) {
  const Row* row = find_row(rv);
  if (row != nullptr) {
    return row->group;
  }
  // Network HSMs report a lost link with numbers of their own.
  return rv >= ck::kVendorDefined ? RvClass::device : RvClass::other;
}

std::string rv_text(std::uint64_t rv) {
  const Row* row = find_row(rv);
  return row == nullptr ? hex_number(rv) : std::string(row->name) + " (" + hex_number(rv) + ")";
}

Error rv_error(std::string_view call, std::uint64_t rv) {
  const Row* row = find_row(rv);
  return {kind_of(class_of(rv)),
          std::string(call) + " returned " + rv_text(rv),
          row == nullptr ? std::string() : std::string(row->hint)};
}

}  // namespace signctl::providers::pkcs11
