// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/module.hpp"

#include "core/wipe.hpp"
#include "providers/pkcs11/library.hpp"
#include "providers/pkcs11/module_reading.hpp"

#include <algorithm>
#include <utility>

namespace signctl::providers::pkcs11 {
namespace {

// Larger than an RSA-16384 signature; a module that wants more gets one more chance.
constexpr std::size_t kSignatureRoom = 2048;
constexpr std::size_t kLargestSignature = std::size_t{64} << 10U;

Reply reply_of(ck::Rv rv, const char* call) {
  Reply reply;
  reply.rv = rv;
  reply.call = call;
  return reply;
}

/// C_Login with a copy of the PIN that is wiped, because the interface wants it writable; without
/// one for a protected path.
ck::Rv log_in(const ck::Functions& functions,
              ck::Session session,
              ck::Ulong user,
              const std::optional<Secret>& pin) {
  if (!pin) {
    return functions.login(session, user, nullptr, 0);
  }
  std::string copy(pin->reveal());
  const ck::Rv rv = functions.login(session,
                                    user,
                                    reinterpret_cast<unsigned char*>(copy.data()),
                                    static_cast<ck::Ulong>(copy.size()));
  wipe_string(copy);
  return rv;
}

/// Modules of this process by path.
struct Registry {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<Module>> modules;
};

Registry& registry() {
  static Registry instance;
  return instance;
}

}  // namespace

Module::Loaded Module::load(const std::string& path_utf8) {
  Registry& known = registry();
  const std::lock_guard lock(known.mutex);
  auto module = known.modules[path_utf8].lock();
  if (!module) {
    const Library library = load_library(path_utf8);
    if (library.get_function_list == nullptr) {
      Reply reply = reply_of(ck::kGeneralError, "dlopen");
      reply.text = library.error;
      return {nullptr, std::move(reply)};
    }
    ck::Functions* functions = nullptr;
    const ck::Rv listed = library.get_function_list(&functions);
    if (listed != ck::kOk || functions == nullptr) {
      return {nullptr,
              reply_of(listed == ck::kOk ? ck::kGeneralError : listed, "C_GetFunctionList")};
    }
    // NOLINTNEXTLINE(cppcoreguidelines-owning-memory): the constructor is private.
    module.reset(new Module(functions, path_utf8));
    const ck::Rv started = module->initialize();
    if (started != ck::kOk) {
      return {nullptr, reply_of(started, "C_Initialize")};
    }
    known.modules[path_utf8] = module;
  }
  ck::Info info{};
  Reply reply = reply_of(module->functions().get_info(&info), "C_GetInfo");
  reply.module = {unpadded(info.manufacturer),
                  unpadded(info.library_description),
                  version_text(info.library_version),
                  module->threads()};
  return {std::move(module), std::move(reply)};
}

ck::Rv Module::initialize() {
  ck::InitializeArguments arguments{};
  arguments.flags = ck::kOsLockingOk;
  ck::Rv rv = functions_->initialize(&arguments);
  if (rv == ck::kCantLock || rv == ck::kArgumentsBad) {
    threads_ = false;
    rv = functions_->initialize(nullptr);
  }
  ours_ = rv == ck::kOk;
  return rv == ck::kCryptokiAlreadyInitialized ? ck::kOk : rv;
}

Module::~Module() {
  for (const auto& [slot, session] : anchors_) {
    static_cast<void>(functions_->close_session(session));
  }
  if (ours_) {
    static_cast<void>(functions_->finalize(nullptr));
  }
}

ck::Rv Module::anchor(ck::Slot slot, ck::Session& session) {
  const std::lock_guard lock(anchors_mutex_);
  const auto known = anchors_.find(slot);
  ck::SessionInfo info{};
  if (known != anchors_.end() && functions_->get_session_info(known->second, &info) == ck::kOk) {
    session = known->second;
    return ck::kOk;
  }
  const ck::Rv rv = functions_->open_session(slot, ck::kSerialSession, nullptr, nullptr, &session);
  if (rv == ck::kOk) {
    anchors_[slot] = session;
  }
  return rv;
}

Connection::~Connection() {
  close();
}

Reply Connection::execute(const Request& request) {
  if (request.operation == Operation::load) {
    return load(request);
  }
  if (!module_) {
    const std::lock_guard lock(host_->mutex);
    module_ = host_->module;
  }
  if (!module_) {
    return reply_of(ck::kGeneralError, "signctl");
  }
  std::unique_lock<std::mutex> one_at_a_time;
  if (!module_->threads()) {
    one_at_a_time = std::unique_lock(module_->serial());
  }
  return run(request);
}

Reply Connection::load(const Request& request) {
  auto loaded = Module::load(request.module);
  const std::lock_guard lock(host_->mutex);
  host_->module = loaded.module;
  module_ = std::move(loaded.module);
  return std::move(loaded.reply);
}

Reply Connection::run(const Request& request) {
  const ck::Functions& functions = module_->functions();
  const auto slot = static_cast<ck::Slot>(request.slot);
  switch (request.operation) {
    case Operation::slots:
      return read_slots(functions);
    case Operation::token: {
      Slot found;
      found.id = slot;
      Reply reply = reply_of(read_token(functions, slot, found.token), "C_GetTokenInfo");
      reply.slots.push_back(std::move(found));
      return reply;
    }
    case Operation::mechanisms:
      return read_mechanisms(functions, slot);
    case Operation::login:
      return login(request);
    case Operation::objects:
      return objects(request);
    case Operation::sign:
      return sign(request);
    case Operation::drop:
      close();
      return reply_of(ck::kOk, "C_CloseSession");
    case Operation::load:
    case Operation::attach:
      break;
  }
  return reply_of(ck::kFunctionNotSupported, "signctl");
}

Reply Connection::login(const Request& request) {
  ck::Session session{};
  const ck::Rv opened = module_->anchor(static_cast<ck::Slot>(request.slot), session);
  if (opened != ck::kOk) {
    return reply_of(opened, "C_OpenSession");
  }
  const std::lock_guard lock(module_->anchor_use());
  // Asked first, because some modules would check the PIN even then.
  ck::SessionInfo info{};
  if (module_->functions().get_session_info(session, &info) == ck::kOk &&
      (info.state == ck::kRoUserFunctions || info.state == ck::kRwUserFunctions)) {
    return reply_of(ck::kUserAlreadyLoggedIn, "C_Login");
  }
  return reply_of(
      log_in(module_->functions(), session, static_cast<ck::Ulong>(request.user), request.pin),
      "C_Login");
}

Reply Connection::objects(const Request& request) {
  const ck::Rv opened = open(static_cast<ck::Slot>(request.slot));
  if (opened != ck::kOk) {
    return reply_of(opened, "C_OpenSession");
  }
  std::unique_lock<std::mutex> alone;
  if (on_anchor_) {
    alone = std::unique_lock(module_->anchor_use());
  }
  return read_objects(module_->functions(), session_);
}

Reply Connection::sign(const Request& request) {
  const ck::Rv opened = open(static_cast<ck::Slot>(request.slot));
  if (opened != ck::kOk) {
    return reply_of(opened, "C_OpenSession");
  }
  std::unique_lock<std::mutex> alone;
  if (on_anchor_) {
    alone = std::unique_lock(module_->anchor_use());
  }
  Reply reply = sign_with(session_, request);
  if (reply.rv != ck::kOk) {
    // An operation may still be active in it; a new session is known to be clean.
    close();
  }
  return reply;
}

Reply Connection::sign_with(ck::Session session, const Request& request) {
  const ck::Functions& functions = module_->functions();
  ck::Mechanism mechanism{static_cast<ck::Ulong>(request.mechanism), nullptr, 0};
  const ck::Rv begun =
      functions.sign_init(session, &mechanism, static_cast<ck::Object>(request.key));
  if (begun != ck::kOk) {
    return reply_of(begun, "C_SignInit");
  }
  if (request.context_login) {
    const ck::Rv entered = log_in(functions, session, ck::kContextSpecific, request.pin);
    // Some HSMs show the attribute and know no such login; C_Sign will tell whether it was needed.
    const bool unknown = entered == ck::kUserTypeInvalid || entered == ck::kFunctionNotSupported;
    if (entered != ck::kOk && entered != ck::kUserAlreadyLoggedIn && !unknown) {
      return reply_of(entered, "C_Login");
    }
  }
  Bytes data = request.data;
  const auto data_size = static_cast<ck::Ulong>(data.size());
  Bytes signature(kSignatureRoom);
  auto size = static_cast<ck::Ulong>(signature.size());
  ck::Rv rv = functions.sign(session, data.data(), data_size, signature.data(), &size);
  if (rv == ck::kBufferTooSmall && size <= kLargestSignature) {
    // The operation stays active (PKCS#11 base specification, 5.2).
    signature.resize(size);
    rv = functions.sign(session, data.data(), data_size, signature.data(), &size);
  }
  Reply reply = reply_of(rv, "C_Sign");
  if (rv == ck::kOk && size <= signature.size()) {
    signature.resize(size);
    reply.signature = std::move(signature);
  }
  return reply;
}

ck::Rv Connection::open(ck::Slot slot) {
  if (opened_ && slot_ == slot) {
    return ck::kOk;
  }
  close();
  ck::Rv rv =
      module_->functions().open_session(slot, ck::kSerialSession, nullptr, nullptr, &session_);
  on_anchor_ = rv == ck::kSessionCount || rv == ck::kTokenResourceExceeded;
  if (on_anchor_) {
    rv = module_->anchor(slot, session_);
  }
  opened_ = rv == ck::kOk;
  slot_ = slot;
  return rv;
}

void Connection::close() {
  if (opened_ && !on_anchor_) {
    static_cast<void>(module_->functions().close_session(session_));
  }
  opened_ = false;
}

}  // namespace signctl::providers::pkcs11
