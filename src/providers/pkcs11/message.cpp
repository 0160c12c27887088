// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/message.hpp"

#include "core/byte_reader.hpp"
#include "core/text.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

namespace signctl::providers::pkcs11 {
namespace {

// Each structure is listed once, in fields(); Writer and Reader walk that list. A Reader that has
// met a lie stays failed, and what it gives is not used.

class Writer {
 public:
  /// Begins with a header, whose length is put in at the end.
  explicit Writer(std::size_t capacity) {
    out_.reserve(capacity);
    put_le<std::uint32_t>(out_, 0);
    put_le<std::uint32_t>(out_, kProtocolVersion);
  }

  void number(std::uint64_t value) { put_le<std::uint64_t>(out_, value); }
  void flag(bool value) { out_.push_back(value ? 1 : 0); }
  void octets(const Bytes& value) {
    number(value.size());
    out_.insert(out_.end(), value.begin(), value.end());
  }
  void text(std::string_view value) {
    number(value.size());
    out_.insert(out_.end(), value.begin(), value.end());
  }
  template <class Enum>
  void choice(Enum value, Enum /*last*/) {
    out_.push_back(static_cast<std::uint8_t>(value));
  }
  void secret(const std::optional<Secret>& value) {
    flag(value.has_value());
    text(value ? value->reveal() : std::string_view());
  }
  template <class T, class Each>
  void list(const std::vector<T>& items, const Each& each) {
    number(items.size());
    for (const T& item : items) {
      each(item);
    }
  }
  template <class T, class Each>
  void maybe(const std::optional<T>& item, const Each& each) {
    flag(item.has_value());
    if (item) {
      each(*item);
    }
  }

  /// The whole frame; nothing is left here.
  [[nodiscard]] Bytes frame() {
    Bytes size;
    put_le<std::uint32_t>(size, static_cast<std::uint32_t>(out_.size() - kFrameHeader));
    std::copy(size.begin(), size.end(), out_.begin());
    return std::move(out_);
  }

 private:
  Bytes out_;
};

class Reader {
 public:
  explicit Reader(ByteView bytes) : reader_(bytes), size_(bytes.size()) {
    good_ = reader_.u32(0) == kProtocolVersion;
    at_ = kFrameHeader;
  }

  void number(std::uint64_t& value) {
    value = reader_.u64(at_).value_or(0);
    good_ = good_ && reader_.u64(at_).has_value();
    at_ += sizeof(std::uint64_t);
  }
  void flag(bool& value) {
    const auto octet = reader_.u8(at_++);
    good_ = good_ && octet && *octet <= 1;
    value = octet == 1;
  }
  void octets(Bytes& value) {
    const ByteView found = sized();
    value.assign(found.begin(), found.end());
  }
  void text(std::string& value) { value = std::string(as_text(sized())); }
  template <class Enum>
  void choice(Enum& value, Enum last) {
    const auto octet = reader_.u8(at_++);
    good_ = good_ && octet && *octet <= static_cast<std::uint8_t>(last);
    value = good_ ? static_cast<Enum>(*octet) : Enum{};
  }
  void secret(std::optional<Secret>& value) {
    bool there = false;
    flag(there);
    const ByteView found = sized();
    if (there) {
      value.emplace(std::string(as_text(found)));
    } else {
      good_ = good_ && found.empty();
    }
  }
  template <class T, class Each>
  void list(std::vector<T>& items, const Each& each) {
    std::uint64_t count = 0;
    number(count);
    // Grows item by item: a count is believed only as far as there are octets for it.
    for (std::uint64_t i = 0; good_ && i < count; ++i) {
      each(items.emplace_back());
    }
  }
  template <class T, class Each>
  void maybe(std::optional<T>& item, const Each& each) {
    bool there = false;
    flag(there);
    if (good_ && there) {
      each(item.emplace());
    }
  }

  [[nodiscard]] bool complete() const { return good_ && at_ == size_; }

 private:
  ByteView sized() {
    std::uint64_t size = 0;
    number(size);
    const auto found = good_ ? reader_.slice(at_, size) : std::nullopt;
    good_ = good_ && found;
    if (!good_) {
      return {};
    }
    at_ += size;
    return *found;
  }

  ByteReader reader_;
  std::size_t size_;
  std::uint64_t at_{0};
  bool good_{true};
};

template <class Io, class T>
void request_fields(Io& io, T& request) {
  io.choice(request.operation, kLastOperation);
  io.text(request.module);
  io.number(request.slot);
  io.number(request.key);
  io.number(request.mechanism);
  io.number(request.user);
  io.flag(request.context_login);
  io.octets(request.data);
  io.secret(request.pin);
}

template <class Io, class T>
void token_fields(Io& io, T& token) {
  io.text(token.label);
  io.text(token.manufacturer);
  io.text(token.model);
  io.text(token.serial);
  io.text(token.firmware);
  io.number(token.flags);
  io.number(token.max_sessions);
}

template <class Io, class T>
void object_fields(Io& io, T& object) {
  io.number(object.handle);
  io.choice(object.kind, kLastObjectClass);
  io.number(object.key_type);
  io.text(object.label);
  io.octets(object.id);
  io.octets(object.value);
  io.octets(object.modulus);
  io.octets(object.exponent);
  io.octets(object.ec_parameters);
  io.octets(object.ec_point);
  io.octets(object.public_key_info);
  io.list(object.allowed_mechanisms, [&io](auto& type) { io.number(type); });
  io.flag(object.may_sign);
  io.flag(object.always_authenticate);
}

template <class Io, class T>
void reply_fields(Io& io, T& reply) {
  io.number(reply.rv);
  io.text(reply.call);
  io.text(reply.text);
  io.text(reply.module.manufacturer);
  io.text(reply.module.description);
  io.text(reply.module.version);
  io.flag(reply.module.threads);
  io.list(reply.slots, [&io](auto& slot) {
    io.number(slot.id);
    io.text(slot.description);
    io.text(slot.manufacturer);
    io.maybe(slot.token, [&io](auto& token) { token_fields(io, token); });
  });
  io.list(reply.mechanisms, [&io](auto& mechanism) {
    io.number(mechanism.type);
    io.number(mechanism.min_key_size);
    io.number(mechanism.max_key_size);
    io.number(mechanism.flags);
  });
  io.list(reply.objects, [&io](auto& object) { object_fields(io, object); });
  io.octets(reply.signature);
}

Error garbled(std::string_view what) {
  return {ErrorKind::internal, "garbled " + std::string(what) + " between signctl and its worker"};
}

/// Room for any request that holds a PIN, so that no growing buffer leaves copies of it behind.
constexpr std::size_t kSecretRoom = std::size_t{16} << 10U;
/// Room for a digest or a signature.
constexpr std::size_t kUsualRoom = 1024;

}  // namespace

Bytes encode(const Request& request) {
  Writer writer(request.pin ? kSecretRoom : kUsualRoom);
  request_fields(writer, request);
  return writer.frame();
}

Bytes encode(const Reply& reply) {
  Writer writer(kUsualRoom);
  reply_fields(writer, reply);
  return writer.frame();
}

Result<std::size_t> payload_size(ByteView header) {
  const auto size = ByteReader(header).u32(0);
  if (!size || *size < kFrameHeader || *size > kLargestMessage) {
    return garbled("frame");
  }
  return std::size_t{*size};
}

Result<Request> decode_request(ByteView payload) {
  Request request;
  Reader reader(payload);
  request_fields(reader, request);
  if (!reader.complete()) {
    return garbled("request");
  }
  return request;
}

Result<Reply> decode_reply(ByteView payload) {
  Reply reply;
  Reader reader(payload);
  reply_fields(reader, reply);
  if (!reader.complete()) {
    return garbled("reply");
  }
  return reply;
}

}  // namespace signctl::providers::pkcs11
