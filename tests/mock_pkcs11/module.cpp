// SPDX-License-Identifier: Apache-2.0
// A PKCS#11 module with one key and one certificate (PEM files), that counts PIN tries, locks,
// hangs, crashes, and loses its token as its folder's config says (state.hpp):
//
//   label= serial= pin= tries= key= certificate=    the token
//   hang=C_Sign   crash=C_Sign                      never return from, or die in, that call
//   error=C_Sign:0x30:2                             return that from its first two calls
//   remove_after=N  back_after=M                    token gone after N signatures, for M slot
//   listings always_authenticate=1 protected=1 cant_lock=1 to_be_changed=1 no_login_flag=1 twins=1
//   max_sessions=N  wrong_signature=1  babble=1     babble: prints every PIN it is given
//   mechanisms=0xd,0x40                             lists these and takes no other
//   allowed=0xd,0x40                                the key's CKA_ALLOWED_MECHANISMS
//   uninitialized=1                                 a second slot without an initialised token

#include "providers/pkcs11/cryptoki.hpp"
#include "state.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

namespace {

namespace ck = signctl::providers::pkcs11::ck;
using signctl::mock::State;
using Bytes = std::vector<unsigned char>;

template <auto Function>
struct Release {
  template <class T>
  void operator()(T* object) const {
    Function(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using Context = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX_free>>;
using File = std::unique_ptr<std::FILE, Release<std::fclose>>;

constexpr ck::Object kPrivateKey = 1;
constexpr ck::Object kCertificate = 2;
constexpr ck::Object kPublicKey = 3;

/// What one process knows of the token.
struct Mock {
  std::recursive_mutex mutex;
  State state;
  Key key;
  Bytes certificate;
  std::set<ck::Session> sessions;
  std::set<ck::Session> context_logins;
  std::vector<ck::Object> found;
  ck::Session next_session{1};
  bool logged_in{false};
  unsigned long listings_while_gone{0};
  bool came_back{false};
  bool initialized{false};

  [[nodiscard]] bool gone() {
    const unsigned long after = state.number("remove_after", 0);
    if (after == 0 || state.count("signatures") < after || came_back) {
      return false;
    }
    sessions.clear();
    logged_in = false;
    return true;
  }
};

Mock& mock() {
  static Mock instance;
  return instance;
}

/// Records the call, and hangs, crashes or fails in it if that is wanted.
ck::Rv enter(const char* call) {
  Mock& token = mock();
  const std::lock_guard lock(token.mutex);
  token.state.record(call);
  if (token.state.text("crash") == call) {
    std::abort();  // Not a bad access: sanitizers make an exit of that.
  }
  const std::string error = token.state.text("error");
  const std::string name = std::string(call) + ":";
  if (error.rfind(name, 0) == 0) {
    const std::size_t colon = error.find(':', name.size());
    const unsigned long times = std::strtoul(error.c_str() + colon + 1, nullptr, 0);
    if (token.state.next("errors") < times) {
      return std::strtoul(error.c_str() + name.size(), nullptr, 0);
    }
  }
  return ck::kOk;
}

void hang_if_wanted(const char* call) {
  std::string wanted;
  {
    const std::lock_guard lock(mock().mutex);
    wanted = mock().state.text("hang");
  }
  while (wanted == call) {
    std::this_thread::sleep_for(std::chrono::hours(1));
  }
}

template <std::size_t N>
void pad(std::array<char, N>& field, const std::string& text) {
  field.fill(' ');
  std::copy_n(text.begin(), std::min(N, text.size()), field.begin());
}

Bytes slurp_certificate(const std::string& path) {
  const File file(std::fopen(path.c_str(), "r"));
  if (!file) {
    return {};
  }
  const std::unique_ptr<X509, Release<X509_free>> certificate(
      PEM_read_X509(file.get(), nullptr, nullptr, nullptr));
  unsigned char* der = nullptr;
  const int size = certificate ? i2d_X509(certificate.get(), &der) : 0;
  Bytes bytes(der, der + std::max(size, 0));
  OPENSSL_free(der);
  return bytes;
}

ck::Rv initialize(void* arguments) {
  Mock& token = mock();
  const std::lock_guard lock(token.mutex);
  token.state = State::load();
  if (token.initialized) {
    return ck::kCryptokiAlreadyInitialized;
  }
  if (token.state.is_on("cant_lock") && arguments != nullptr) {
    return ck::kCantLock;
  }
  if (const ck::Rv rv = enter("C_Initialize"); rv != ck::kOk) {
    return rv;
  }
  hang_if_wanted("C_Initialize");
  const File file(std::fopen(token.state.text("key").c_str(), "r"));
  token.key.reset(file ? PEM_read_PrivateKey(file.get(), nullptr, nullptr, nullptr) : nullptr);
  token.certificate = slurp_certificate(token.state.text("certificate"));
  token.initialized = true;
  return ck::kOk;
}

ck::Rv finalize(void* /*reserved*/) {
  mock().initialized = false;
  return enter("C_Finalize");
}

ck::Rv get_info(ck::Info* info) {
  *info = {};
  info->cryptoki_version = {2, 40};
  pad(info->manufacturer, "signctl tests");
  pad(info->library_description, "mock");
  info->library_version = {1, 0};
  return ck::kOk;
}

ck::Rv get_slot_list(unsigned char /*only_with_token*/, ck::Slot* slots, ck::Ulong* count) {
  Mock& token = mock();
  const std::lock_guard lock(token.mutex);
  const ck::Ulong there = token.state.is_on("twins") || token.state.is_on("uninitialized") ? 2 : 1;
  if (slots != nullptr) {
    if (token.gone() && ++token.listings_while_gone > token.state.number("back_after", 0)) {
      token.came_back = true;
      token.state.record("token is back");
    }
    slots[0] = 7;
    if (there == 2) {
      slots[1] = 8;
    }
  }
  *count = there;
  return ck::kOk;
}

ck::Rv get_slot_info(ck::Slot /*slot*/, ck::SlotInfo* info) {
  const std::lock_guard lock(mock().mutex);
  *info = {};
  pad(info->description, "mock reader");
  pad(info->manufacturer, "signctl tests");
  info->flags = mock().gone() ? 0 : ck::kTokenPresent;
  return ck::kOk;
}

ck::Ulong pin_flags(const State& state) {
  ck::Ulong flags = 0;
  const unsigned long left = state.tries_left();
  if (state.is_on("to_be_changed")) {
    flags |= ck::kUserPinToBeChanged;
  }
  if (left == 0) {
    flags |= ck::kUserPinLocked;
  } else if (left == 1) {
    flags |= ck::kUserPinFinalTry | ck::kUserPinCountLow;
  } else if (left < state.number("tries", 3)) {
    flags |= ck::kUserPinCountLow;
  }
  return flags;
}

ck::Rv get_token_info(ck::Slot slot, ck::TokenInfo* info) {
  Mock& token = mock();
  const std::lock_guard lock(token.mutex);
  if (token.gone()) {
    return ck::kTokenNotPresent;
  }
  *info = {};
  const State& state = token.state;
  pad(info->label, state.text("label"));
  pad(info->manufacturer, "signctl tests");
  pad(info->model, "mock");
  pad(info->serial, slot == 7 ? state.text("serial") : "OTHER");
  info->flags = ck::kUserPinInitialized | pin_flags(state);
  info->flags |= slot == 8 && state.is_on("uninitialized") ? 0 : ck::kTokenInitialized;
  info->flags |= state.is_on("no_login_flag") ? 0 : ck::kLoginRequired;
  info->flags |= state.is_on("protected") ? ck::kProtectedAuthenticationPath : 0;
  return ck::kOk;
}

std::vector<ck::Ulong> numbers_in(const std::string& text) {
  std::vector<ck::Ulong> numbers;
  std::istringstream named(text);
  for (std::string number; std::getline(named, number, ',');) {
    numbers.push_back(std::strtoul(number.c_str(), nullptr, 0));
  }
  return numbers;
}

std::vector<ck::Ulong> mechanisms_of(const State& state) {
  const std::vector<ck::Ulong> offered = numbers_in(state.text("mechanisms"));
  return offered.empty() ? std::vector<ck::Ulong>{ck::kMechanismRsaPkcsPss,
                                                  ck::kMechanismRsaPkcs,
                                                  ck::kMechanismEcdsa}
                         : offered;
}

ck::Rv get_mechanism_list(ck::Slot /*slot*/, ck::Ulong* mechanisms, ck::Ulong* count) {
  const auto offered = mechanisms_of(mock().state);
  if (mechanisms != nullptr) {
    std::copy(offered.begin(), offered.end(), mechanisms);
  }
  *count = offered.size();
  return ck::kOk;
}

ck::Rv get_mechanism_info(ck::Slot /*slot*/, ck::Ulong /*type*/, ck::MechanismInfo* info) {
  *info = {1024, 4096, ck::kCanSign};
  return ck::kOk;
}

ck::Rv open_session(ck::Slot /*slot*/,
                    ck::Ulong /*flags*/,
                    void* /*application*/,
                    ck::Unused /*notify*/,
                    ck::Session* session) {
  Mock& token = mock();
  const std::lock_guard lock(token.mutex);
  if (token.gone()) {
    return ck::kTokenNotPresent;
  }
  if (token.sessions.size() >= token.state.number("max_sessions", 1000)) {
    return ck::kSessionCount;
  }
  *session = token.next_session++;
  token.sessions.insert(*session);
  return enter("C_OpenSession");
}

ck::Rv close_session(ck::Session session) {
  Mock& token = mock();
  const std::lock_guard lock(token.mutex);
  token.sessions.erase(session);
  token.logged_in = token.logged_in && !token.sessions.empty();
  return ck::kOk;
}

ck::Rv get_session_info(ck::Session session, ck::SessionInfo* info) {
  Mock& token = mock();
  const std::lock_guard lock(token.mutex);
  if (token.gone() || token.sessions.count(session) == 0) {
    return ck::kSessionHandleInvalid;
  }
  *info = {};
  info->state = token.logged_in ? ck::kRoUserFunctions : 0;
  return ck::kOk;
}

/// Compares a PIN as a token does, with a counter.
ck::Rv check_pin(const State& state, const unsigned char* pin, ck::Ulong size) {
  const unsigned long left = state.tries_left();
  if (left == 0) {
    return ck::kPinLocked;
  }
  if (pin == nullptr) {
    return state.is_on("protected") ? ck::kOk : ck::kArgumentsBad;
  }
  const std::string given(reinterpret_cast<const char*>(pin), size);
  if (state.is_on("babble")) {
    std::printf("mock: the PIN is %s\n", given.c_str());
    std::fflush(stdout);
    std::fprintf(stderr, "mock: the PIN is %s\n", given.c_str());
  }
  if (given != state.text("pin")) {
    state.set_tries_left(left - 1);
    return left == 1 ? ck::kPinLocked : ck::kPinIncorrect;
  }
  state.set_tries_left(state.number("tries", 3));
  return ck::kOk;
}

ck::Rv login(ck::Session session, ck::Ulong user, unsigned char* pin, ck::Ulong size) {
  Mock& token = mock();
  if (const ck::Rv rv = enter(user == ck::kContextSpecific ? "C_Login context" : "C_Login");
      rv != ck::kOk) {
    return rv;
  }
  hang_if_wanted("C_Login");
  const std::lock_guard lock(token.mutex);
  if (token.gone() || token.sessions.count(session) == 0) {
    return ck::kDeviceRemoved;
  }
  if (user != ck::kContextSpecific && token.logged_in) {
    return ck::kUserAlreadyLoggedIn;
  }
  const ck::Rv rv = check_pin(token.state, pin, size);
  if (rv == ck::kOk && user == ck::kContextSpecific) {
    token.context_logins.insert(session);
  } else if (rv == ck::kOk) {
    token.logged_in = true;
  }
  return rv;
}

Bytes number_bytes(ck::Ulong value) {
  Bytes bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

Bytes text_bytes(const std::string& text) {
  return {text.begin(), text.end()};
}

Bytes modulus_part(const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(mock().key.get(), name, &number) != 1) {
    return {};
  }
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number)));
  BN_bn2bin(number, bytes.data());
  BN_free(number);
  return bytes;
}

/// The value, or nothing for an attribute that the object does not have.
std::unique_ptr<Bytes> value_of(ck::Object object, ck::Ulong type) {
  const Mock& token = mock();
  const bool is_rsa = EVP_PKEY_get_base_id(token.key.get()) == EVP_PKEY_RSA;
  const auto give = [](Bytes bytes) { return std::make_unique<Bytes>(std::move(bytes)); };
  switch (type) {
    case ck::kAttributeLabel:
      return give(text_bytes("codesign"));
    case ck::kAttributeId:
      return give({0xA1, 0xB2});
    case ck::kAttributeValue:
      return object == kCertificate ? give(token.certificate) : nullptr;
    case ck::kAttributeCertificateType:
      return object == kCertificate ? give(number_bytes(ck::kCertificateX509)) : nullptr;
    case ck::kAttributeKeyType:
      return give(number_bytes(is_rsa ? ck::kKeyRsa : ck::kKeyEc));
    case ck::kAttributeModulus:
      return is_rsa ? give(modulus_part("n")) : nullptr;
    case ck::kAttributePublicExponent:
      return is_rsa ? give(modulus_part("e")) : nullptr;
    case ck::kAttributeAlwaysAuthenticate:
      return give({static_cast<unsigned char>(token.state.is_on("always_authenticate") ? 1 : 0)});
    case ck::kAttributeAllowedMechanisms: {
      Bytes allowed;
      for (const ck::Ulong number : numbers_in(token.state.text("allowed"))) {
        const Bytes octets = number_bytes(number);
        allowed.insert(allowed.end(), octets.begin(), octets.end());
      }
      return allowed.empty() ? nullptr : give(allowed);
    }
    default:
      return nullptr;
  }
}

ck::Rv get_attribute_value(ck::Session /*session*/,
                           ck::Object object,
                           ck::Attribute* attributes,
                           ck::Ulong /*count*/) {
  const std::lock_guard lock(mock().mutex);
  const auto value = value_of(object, attributes->type);
  if (!value) {
    attributes->size = ck::kUnavailable;
    return 0x12;  // CKR_ATTRIBUTE_TYPE_INVALID
  }
  if (attributes->value != nullptr) {
    std::copy(value->begin(), value->end(), static_cast<unsigned char*>(attributes->value));
  }
  attributes->size = value->size();
  return ck::kOk;
}

ck::Rv find_objects_init(ck::Session session, ck::Attribute* attributes, ck::Ulong /*count*/) {
  Mock& token = mock();
  const std::lock_guard lock(token.mutex);
  if (token.gone() || token.sessions.count(session) == 0) {
    return ck::kSessionHandleInvalid;
  }
  ck::Ulong wanted = 0;
  std::memcpy(&wanted, attributes[0].value, sizeof wanted);
  token.found.clear();
  if (wanted == ck::kClassPrivateKey && token.logged_in) {
    token.found = {kPrivateKey};
  } else if (wanted == ck::kClassCertificate) {
    token.found = {kCertificate};
  } else if (wanted == ck::kClassPublicKey) {
    token.found = {kPublicKey};
  }
  return ck::kOk;
}

ck::Rv find_objects(ck::Session /*session*/,
                    ck::Object* objects,
                    ck::Ulong limit,
                    ck::Ulong* count) {
  std::vector<ck::Object>& found = mock().found;
  *count = std::min<ck::Ulong>(limit, found.size());
  std::copy_n(found.begin(), *count, objects);
  found.clear();
  return ck::kOk;
}

ck::Rv find_objects_final(ck::Session /*session*/) {
  return ck::kOk;
}

ck::Rv sign_init(ck::Session session, ck::Mechanism* mechanism, ck::Object key) {
  Mock& token = mock();
  const std::lock_guard lock(token.mutex);
  if (token.gone()) {
    return ck::kDeviceRemoved;
  }
  if (token.sessions.count(session) == 0) {
    return ck::kSessionHandleInvalid;
  }
  token.context_logins.erase(session);
  if (!token.logged_in && !token.state.is_on("no_login_flag")) {
    return ck::kUserNotLoggedIn;
  }
  const auto offered = mechanisms_of(token.state);
  if (std::find(offered.begin(), offered.end(), mechanism->type) == offered.end()) {
    return ck::kMechanismInvalid;
  }
  return key == kPrivateKey ? ck::kOk : ck::kKeyHandleInvalid;
}

/// ECDSA as PKCS#11 has it: r and s, each as long as the curve's order.
Bytes raw_ecdsa(const Bytes& der) {
  const unsigned char* at = der.data();
  const std::unique_ptr<ECDSA_SIG, Release<ECDSA_SIG_free>> signature(
      d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  const auto half = static_cast<std::size_t>((EVP_PKEY_get_bits(mock().key.get()) + 7) / 8);
  Bytes raw(2 * half);
  BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), raw.data(), static_cast<int>(half));
  BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), raw.data() + half, static_cast<int>(half));
  return raw;
}

Bytes make_signature(const unsigned char* data, ck::Ulong size) {
  EVP_PKEY* key = mock().key.get();
  const Context context(EVP_PKEY_CTX_new(key, nullptr));
  if (!context || EVP_PKEY_sign_init(context.get()) != 1) {
    return {};
  }
  const bool is_rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
  if (is_rsa) {
    EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING);
  }
  std::size_t room = 1024;
  Bytes signature(room);
  if (EVP_PKEY_sign(context.get(), signature.data(), &room, data, size) != 1) {
    return {};
  }
  signature.resize(room);
  return is_rsa ? signature : raw_ecdsa(signature);
}

ck::Rv sign(ck::Session session,
            unsigned char* data,
            ck::Ulong size,
            unsigned char* signature,
            ck::Ulong* signature_size) {
  if (const ck::Rv rv = enter("C_Sign"); rv != ck::kOk) {
    return rv;
  }
  hang_if_wanted("C_Sign");
  Mock& token = mock();
  const std::lock_guard lock(token.mutex);
  if (token.gone()) {
    return ck::kDeviceRemoved;
  }
  if (token.state.is_on("always_authenticate") && token.context_logins.erase(session) == 0) {
    return ck::kUserNotLoggedIn;
  }
  Bytes made = make_signature(data, size);
  if (made.empty()) {
    return ck::kFunctionFailed;
  }
  if (token.state.is_on("wrong_signature")) {
    made.back() ^= 1U;
  }
  if (*signature_size < made.size()) {
    *signature_size = made.size();
    return ck::kBufferTooSmall;
  }
  static_cast<void>(token.state.next("signatures"));
  std::copy(made.begin(), made.end(), signature);
  *signature_size = made.size();
  return ck::kOk;
}

ck::Functions make_functions() {
  ck::Functions functions{};
  functions.version = {2, 40};
  functions.initialize = initialize;
  functions.finalize = finalize;
  functions.get_info = get_info;
  functions.get_slot_list = get_slot_list;
  functions.get_slot_info = get_slot_info;
  functions.get_token_info = get_token_info;
  functions.get_mechanism_list = get_mechanism_list;
  functions.get_mechanism_info = get_mechanism_info;
  functions.open_session = open_session;
  functions.close_session = close_session;
  functions.get_session_info = get_session_info;
  functions.login = login;
  functions.get_attribute_value = get_attribute_value;
  functions.find_objects_init = find_objects_init;
  functions.find_objects = find_objects;
  functions.find_objects_final = find_objects_final;
  functions.sign_init = sign_init;
  functions.sign = sign;
  return functions;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) ck::Rv C_GetFunctionList(
    ck::Functions** functions);

// NOLINTNEXTLINE(readability-identifier-naming): the standard's name
ck::Rv C_GetFunctionList(ck::Functions** functions) {
  static ck::Functions list = make_functions();
  *functions = &list;
  return ck::kOk;
}
