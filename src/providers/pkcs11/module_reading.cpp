// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/module_reading.hpp"

#include "providers/pkcs11/mechanisms.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace signctl::providers::pkcs11 {
namespace {

// More than any token has; a driver that says otherwise is wrong.
constexpr ck::Ulong kMostSlots = 1024;
constexpr ck::Ulong kMostMechanisms = 4096;
constexpr std::size_t kMostObjects = 512;
constexpr ck::Ulong kLargestAttribute = ck::Ulong{64} << 10U;

Reply reply_of(ck::Rv rv, const char* call) {
  Reply reply;
  reply.rv = rv;
  reply.call = call;
  return reply;
}

Slot read_slot(const ck::Functions& functions, ck::Slot id) {
  Slot slot;
  slot.id = id;
  ck::SlotInfo info{};
  if (functions.get_slot_info(id, &info) != ck::kOk) {
    return slot;
  }
  slot.description = unpadded(info.description);
  slot.manufacturer = unpadded(info.manufacturer);
  if ((info.flags & ck::kTokenPresent) != 0) {
    // A token that cannot be read, or not by this module, is as good as none.
    static_cast<void>(read_token(functions, id, slot.token));
  }
  return slot;
}

/// The value of an attribute; empty when there is none to be had.
Bytes attribute(const ck::Functions& functions,
                ck::Session session,
                ck::Object object,
                ck::Ulong type) {
  ck::Attribute wanted{type, nullptr, 0};
  if (functions.get_attribute_value(session, object, &wanted, 1) != ck::kOk ||
      wanted.size == ck::kUnavailable || wanted.size > kLargestAttribute) {
    return {};
  }
  Bytes value(wanted.size);
  wanted.value = value.data();
  if (value.empty() || functions.get_attribute_value(session, object, &wanted, 1) != ck::kOk ||
      wanted.size > value.size()) {
    return {};
  }
  value.resize(wanted.size);
  return value;
}

std::optional<ck::Ulong> number_of(const Bytes& value) {
  ck::Ulong number = 0;
  if (value.size() != sizeof number) {
    return std::nullopt;
  }
  std::memcpy(&number, value.data(), sizeof number);
  return number;
}

std::vector<std::uint64_t> numbers_of(const Bytes& value) {
  std::vector<std::uint64_t> numbers(value.size() / sizeof(ck::Ulong));
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    ck::Ulong number = 0;
    std::memcpy(&number, value.data() + i * sizeof number, sizeof number);
    numbers[i] = number;
  }
  return numbers;
}

class ObjectReader {
 public:
  ObjectReader(const ck::Functions& functions, ck::Session session)
      : functions_(functions), session_(session) {}

  [[nodiscard]] std::optional<Object> read(ck::Object handle, ObjectClass kind) const {
    Object object;
    object.handle = handle;
    object.kind = kind;
    const Bytes label = get(handle, ck::kAttributeLabel);
    object.label.assign(label.begin(), label.end());
    object.id = get(handle, ck::kAttributeId);
    if (kind == ObjectClass::certificate) {
      const auto type = number_of(get(handle, ck::kAttributeCertificateType));
      object.value = get(handle, ck::kAttributeValue);
      return type.value_or(ck::kCertificateX509) == ck::kCertificateX509 ? std::optional(object)
                                                                         : std::nullopt;
    }
    object.key_type = number_of(get(handle, ck::kAttributeKeyType)).value_or(ck::kUnavailable);
    if (object.key_type == ck::kKeyRsa) {
      object.modulus = get(handle, ck::kAttributeModulus);
      object.exponent = get(handle, ck::kAttributePublicExponent);
    } else if (object.key_type == ck::kKeyEc) {
      object.ec_parameters = get(handle, ck::kAttributeEcParameters);
      object.ec_point = get(handle, ck::kAttributeEcPoint);
    }
    object.public_key_info = get(handle, ck::kAttributePublicKeyInfo);
    if (kind == ObjectClass::private_key) {
      object.may_sign = get(handle, ck::kAttributeSign) != Bytes{0};
      object.always_authenticate = get(handle, ck::kAttributeAlwaysAuthenticate) == Bytes{1};
      object.allowed_mechanisms = numbers_of(get(handle, ck::kAttributeAllowedMechanisms));
    }
    return object;
  }

 private:
  [[nodiscard]] Bytes get(ck::Object handle, ck::Ulong type) const {
    return attribute(functions_, session_, handle, type);
  }

  const ck::Functions& functions_;
  ck::Session session_;
};

/// Handles of all token objects of one class.
ck::Rv find(const ck::Functions& functions,
            ck::Session session,
            ck::Ulong wanted,
            std::vector<ck::Object>& found) {
  unsigned char on_token = 1;
  std::array<ck::Attribute, 2> query{
      ck::Attribute{ck::kAttributeClass, &wanted, sizeof wanted},
      ck::Attribute{ck::kAttributeToken, &on_token, sizeof on_token},
  };
  ck::Rv rv = functions.find_objects_init(session, query.data(), query.size());
  if (rv != ck::kOk) {
    return rv;
  }
  std::array<ck::Object, 32> batch{};
  ck::Ulong count = 0;
  do {
    rv = functions.find_objects(session, batch.data(), batch.size(), &count);
    count = rv == ck::kOk ? std::min<ck::Ulong>(count, batch.size()) : 0;
    found.insert(found.end(), batch.begin(), batch.begin() + static_cast<std::ptrdiff_t>(count));
  } while (count != 0 && found.size() < kMostObjects);
  static_cast<void>(functions.find_objects_final(session));
  return rv;
}

}  // namespace

std::string version_text(ck::Version version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor);
}

ck::Rv read_token(const ck::Functions& functions, ck::Slot slot, std::optional<Token>& token) {
  ck::TokenInfo info{};
  const ck::Rv rv = functions.get_token_info(slot, &info);
  if (rv == ck::kOk) {
    token = Token{unpadded(info.label),
                  unpadded(info.manufacturer),
                  unpadded(info.model),
                  unpadded(info.serial),
                  version_text(info.firmware_version),
                  info.flags,
                  info.max_sessions};
  }
  return rv;
}

Reply read_slots(const ck::Functions& functions) {
  ck::Ulong count = 0;
  ck::Rv rv = functions.get_slot_list(0, nullptr, &count);
  std::vector<ck::Slot> ids(rv == ck::kOk ? std::min(count, kMostSlots) : 0);
  count = static_cast<ck::Ulong>(ids.size());
  // With no room for any, the second call would be the first again.
  if (rv == ck::kOk && count != 0) {
    rv = functions.get_slot_list(0, ids.data(), &count);
  }
  Reply reply = reply_of(rv, "C_GetSlotList");
  if (rv == ck::kOk) {
    ids.resize(std::min<std::size_t>(count, ids.size()));
    for (const ck::Slot id : ids) {
      reply.slots.push_back(read_slot(functions, id));
    }
  }
  return reply;
}

Reply read_mechanisms(const ck::Functions& functions, ck::Slot slot) {
  ck::Ulong count = 0;
  ck::Rv rv = functions.get_mechanism_list(slot, nullptr, &count);
  std::vector<ck::Ulong> types(rv == ck::kOk ? std::min(count, kMostMechanisms) : 0);
  count = static_cast<ck::Ulong>(types.size());
  if (rv == ck::kOk && count != 0) {
    rv = functions.get_mechanism_list(slot, types.data(), &count);
  }
  Reply reply = reply_of(rv, "C_GetMechanismList");
  if (rv != ck::kOk) {
    return reply;
  }
  types.resize(std::min<std::size_t>(count, types.size()));
  for (const ck::Ulong type : types) {
    ck::MechanismInfo info{};
    if (is_signing_mechanism(type) && functions.get_mechanism_info(slot, type, &info) == ck::kOk) {
      reply.mechanisms.push_back({type, info.min_key_size, info.max_key_size, info.flags});
    }
  }
  return reply;
}

Reply read_objects(const ck::Functions& functions, ck::Session session) {
  struct Kind {
    ck::Ulong number;
    ObjectClass kind;
  };
  constexpr std::array kKinds{Kind{ck::kClassPrivateKey, ObjectClass::private_key},
                              Kind{ck::kClassPublicKey, ObjectClass::public_key},
                              Kind{ck::kClassCertificate, ObjectClass::certificate}};
  const ObjectReader reader(functions, session);
  Reply reply = reply_of(ck::kOk, "C_FindObjects");
  for (const Kind& each : kKinds) {
    std::vector<ck::Object> handles;
    reply.rv = find(functions, session, each.number, handles);
    if (reply.rv != ck::kOk) {
      return reply;
    }
    for (const ck::Object handle : handles) {
      if (auto object = reader.read(handle, each.kind)) {
        reply.objects.push_back(*std::move(object));
      }
    }
  }
  return reply;
}

}  // namespace signctl::providers::pkcs11
