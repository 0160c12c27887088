// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

// The part of PKCS#11 v2.40 (OASIS, "Cryptographic Token Interface Base Specification") that
// signing needs, as facts of its binary interface; names are ours. The function list is declared up
// to C_Sign and padded to its full length, because modules hand out a pointer to all of it.
namespace signctl::providers::pkcs11::ck {

/// CK_ULONG: as wide as the platform's long, so 32 bits on Windows, whose structures are packed to
/// one byte as well (2.1).
using Ulong = unsigned long;

using Rv = Ulong;
using Slot = Ulong;
using Session = Ulong;
using Object = Ulong;

inline constexpr Ulong kUnavailable = static_cast<Ulong>(-1);

#ifdef _WIN32
#pragma pack(push, 1)
#endif

struct Version {
  unsigned char major;
  unsigned char minor;
};

/// Texts are padded with blanks, without a terminator; some modules pad with NUL.
struct Info {
  Version cryptoki_version;
  std::array<char, 32> manufacturer;
  Ulong flags;
  std::array<char, 32> library_description;
  Version library_version;
};

struct SlotInfo {
  std::array<char, 64> description;
  std::array<char, 32> manufacturer;
  Ulong flags;
  Version hardware_version;
  Version firmware_version;
};

struct TokenInfo {
  std::array<char, 32> label;
  std::array<char, 32> manufacturer;
  std::array<char, 16> model;
  std::array<char, 16> serial;
  Ulong flags;
  Ulong max_sessions;
  Ulong sessions;
  Ulong max_rw_sessions;
  Ulong rw_sessions;
  Ulong max_pin_length;
  Ulong min_pin_length;
  Ulong total_public_memory;
  Ulong free_public_memory;
  Ulong total_private_memory;
  Ulong free_private_memory;
  Version hardware_version;
  Version firmware_version;
  std::array<char, 16> utc_time;
};

struct SessionInfo {
  Slot slot;
  Ulong state;
  Ulong flags;
  Ulong device_error;
};

struct MechanismInfo {
  Ulong min_key_size;
  Ulong max_key_size;
  Ulong flags;
};

struct Mechanism {
  Ulong type;
  void* parameter;
  Ulong parameter_size;
};

struct Attribute {
  Ulong type;
  void* value;
  Ulong size;
};

struct InitializeArguments {
  void* create_mutex;
  void* destroy_mutex;
  void* lock_mutex;
  void* unlock_mutex;
  Ulong flags;
  void* reserved;
};

using Unused = void (*)();

/// CK_FUNCTION_LIST
struct Functions {
  Version version;
  Rv (*initialize)(void* arguments);
  Rv (*finalize)(void* reserved);
  Rv (*get_info)(Info* info);
  Unused get_function_list;
  Rv (*get_slot_list)(unsigned char only_with_token, Slot* slots, Ulong* count);
  Rv (*get_slot_info)(Slot slot, SlotInfo* info);
  Rv (*get_token_info)(Slot slot, TokenInfo* info);
  Rv (*get_mechanism_list)(Slot slot, Ulong* mechanisms, Ulong* count);
  Rv (*get_mechanism_info)(Slot slot, Ulong mechanism, MechanismInfo* info);
  Unused init_token;
  Unused init_pin;
  Unused set_pin;
  Rv (*open_session)(Slot slot, Ulong flags, void* application, Unused notify, Session* session);
  Rv (*close_session)(Session session);
  Rv (*close_all_sessions)(Slot slot);
  Rv (*get_session_info)(Session session, SessionInfo* info);
  Unused get_operation_state;
  Unused set_operation_state;
  Rv (*login)(Session session, Ulong user, unsigned char* pin, Ulong pin_size);
  Rv (*logout)(Session session);
  Unused create_object;
  Unused copy_object;
  Unused destroy_object;
  Unused get_object_size;
  Rv (*get_attribute_value)(Session session, Object object, Attribute* attributes, Ulong count);
  Unused set_attribute_value;
  Rv (*find_objects_init)(Session session, Attribute* attributes, Ulong count);
  Rv (*find_objects)(Session session, Object* objects, Ulong limit, Ulong* count);
  Rv (*find_objects_final)(Session session);
  std::array<Unused, 8> encrypt_and_decrypt;
  std::array<Unused, 5> digest;
  Rv (*sign_init)(Session session, Mechanism* mechanism, Object key);
  Rv (*sign)(Session session,
             unsigned char* data,
             Ulong data_size,
             unsigned char* signature,
             Ulong* signature_size);
  std::array<Unused, 24> after_sign;
};

#ifdef _WIN32
#pragma pack(pop)
#endif

using GetFunctionList = Rv (*)(Functions** functions);

// Flags of C_Initialize, C_OpenSession, slots, tokens and mechanisms.
inline constexpr Ulong kOsLockingOk = 0x2;
inline constexpr Ulong kRwSession = 0x2;
inline constexpr Ulong kSerialSession = 0x4;
inline constexpr Ulong kTokenPresent = 0x1;
inline constexpr Ulong kLoginRequired = 0x4;
inline constexpr Ulong kUserPinInitialized = 0x8;
inline constexpr Ulong kProtectedAuthenticationPath = 0x100;
inline constexpr Ulong kTokenInitialized = 0x400;
inline constexpr Ulong kUserPinCountLow = 0x10000;
inline constexpr Ulong kUserPinFinalTry = 0x20000;
inline constexpr Ulong kUserPinLocked = 0x40000;
inline constexpr Ulong kUserPinToBeChanged = 0x80000;
inline constexpr Ulong kErrorState = 0x1000000;
inline constexpr Ulong kCanSign = 0x800;

inline constexpr Ulong kRoUserFunctions = 1;
inline constexpr Ulong kRwUserFunctions = 3;

inline constexpr Ulong kUser = 1;
inline constexpr Ulong kContextSpecific = 2;

inline constexpr Ulong kClassCertificate = 1;
inline constexpr Ulong kClassPublicKey = 2;
inline constexpr Ulong kClassPrivateKey = 3;
inline constexpr Ulong kCertificateX509 = 0;
inline constexpr Ulong kKeyRsa = 0;
inline constexpr Ulong kKeyEc = 3;

inline constexpr Ulong kAttributeClass = 0x0;
inline constexpr Ulong kAttributeToken = 0x1;
inline constexpr Ulong kAttributeLabel = 0x3;
inline constexpr Ulong kAttributeValue = 0x11;
inline constexpr Ulong kAttributeCertificateType = 0x80;
inline constexpr Ulong kAttributeKeyType = 0x100;
inline constexpr Ulong kAttributeId = 0x102;
inline constexpr Ulong kAttributeSign = 0x108;
inline constexpr Ulong kAttributeModulus = 0x120;
inline constexpr Ulong kAttributePublicExponent = 0x122;
inline constexpr Ulong kAttributePublicKeyInfo = 0x129;
inline constexpr Ulong kAttributeEcParameters = 0x180;
inline constexpr Ulong kAttributeEcPoint = 0x181;
inline constexpr Ulong kAttributeAlwaysAuthenticate = 0x202;
inline constexpr Ulong kAttributeAllowedMechanisms = 0x40000600;

inline constexpr Ulong kMechanismRsaPkcs = 0x1;
inline constexpr Ulong kMechanismRsaPkcsPss = 0xD;
inline constexpr Ulong kMechanismEcdsa = 0x1041;

inline constexpr Rv kOk = 0x0;
inline constexpr Rv kCancel = 0x1;
inline constexpr Rv kHostMemory = 0x2;
inline constexpr Rv kSlotIdInvalid = 0x3;
inline constexpr Rv kGeneralError = 0x5;
inline constexpr Rv kFunctionFailed = 0x6;
inline constexpr Rv kArgumentsBad = 0x7;
inline constexpr Rv kCantLock = 0xA;
inline constexpr Rv kDataInvalid = 0x20;
inline constexpr Rv kDataLenRange = 0x21;
inline constexpr Rv kDeviceError = 0x30;
inline constexpr Rv kDeviceMemory = 0x31;
inline constexpr Rv kDeviceRemoved = 0x32;
inline constexpr Rv kFunctionCanceled = 0x50;
inline constexpr Rv kFunctionNotSupported = 0x54;
inline constexpr Rv kKeyHandleInvalid = 0x60;
inline constexpr Rv kKeySizeRange = 0x62;
inline constexpr Rv kKeyTypeInconsistent = 0x63;
inline constexpr Rv kKeyFunctionNotPermitted = 0x68;
inline constexpr Rv kMechanismInvalid = 0x70;
inline constexpr Rv kMechanismParamInvalid = 0x71;
inline constexpr Rv kObjectHandleInvalid = 0x82;
inline constexpr Rv kOperationActive = 0x90;
inline constexpr Rv kOperationNotInitialized = 0x91;
inline constexpr Rv kPinIncorrect = 0xA0;
inline constexpr Rv kPinInvalid = 0xA1;
inline constexpr Rv kPinLenRange = 0xA2;
inline constexpr Rv kPinExpired = 0xA3;
inline constexpr Rv kPinLocked = 0xA4;
inline constexpr Rv kSessionClosed = 0xB0;
inline constexpr Rv kSessionCount = 0xB1;
inline constexpr Rv kSessionHandleInvalid = 0xB3;
inline constexpr Rv kTokenNotPresent = 0xE0;
inline constexpr Rv kTokenNotRecognized = 0xE1;
inline constexpr Rv kUserAlreadyLoggedIn = 0x100;
inline constexpr Rv kUserNotLoggedIn = 0x101;
inline constexpr Rv kUserPinNotInitialized = 0x102;
inline constexpr Rv kUserTypeInvalid = 0x103;
inline constexpr Rv kUserAnotherAlreadyLoggedIn = 0x104;
inline constexpr Rv kBufferTooSmall = 0x150;
inline constexpr Rv kCryptokiAlreadyInitialized = 0x191;
inline constexpr Rv kFunctionRejected = 0x200;
inline constexpr Rv kTokenResourceExceeded = 0x201;
inline constexpr Rv kKeyExhausted = 0x203;
inline constexpr Rv kVendorDefined = 0x80000000;

}  // namespace signctl::providers::pkcs11::ck
