// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "providers/pkcs11/cryptoki.hpp"
#include "providers/pkcs11/message.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace signctl::providers::pkcs11 {

/// A module loaded into this process and initialised. Calls come from several threads where it can
/// lock (CKF_OS_LOCKING_OK), else one after the other.
class Module {
 public:
  /// What C_Initialize and C_GetInfo said, and the module if all is well.
  struct Loaded {
    std::shared_ptr<Module> module;
    Reply reply;
  };
  /// Loads a module, or finds it loaded: PKCS#11 allows one C_Initialize a process.
  static Loaded load(const std::string& path_utf8);

  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  ~Module();

  [[nodiscard]] const ck::Functions& functions() const { return *functions_; }
  [[nodiscard]] bool threads() const { return threads_; }
  /// Held for each call when the module cannot lock.
  [[nodiscard]] std::mutex& serial() { return serial_; }

  /// The session that is open for as long as the module is in use: a login lasts until the last
  /// session with its token is closed. Opened anew if the token has been away.
  ck::Rv anchor(ck::Slot slot, ck::Session& session);
  /// Held by who signs with the anchor, because the token has no session to spare.
  [[nodiscard]] std::mutex& anchor_use() { return anchor_use_; }

 private:
  Module(ck::Functions* functions, std::string path)
      : functions_(functions), path_(std::move(path)) {}
  ck::Rv initialize();

  ck::Functions* functions_;
  std::string path_;
  bool threads_{true};
  bool ours_{false};  ///< Whether it was our C_Initialize, and so C_Finalize is ours as well.
  std::mutex serial_;
  std::mutex anchor_use_;
  std::mutex anchors_mutex_;
  std::map<ck::Slot, ck::Session> anchors_;
};

/// What the links to a module have in common.
struct Host {
  std::mutex mutex;
  std::shared_ptr<Module> module;
};

/// Carries requests out, with a session of its own. One thread at a time.
class Connection {
 public:
  explicit Connection(std::shared_ptr<Host> host) : host_(std::move(host)) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  Reply execute(const Request& request);

 private:
  Reply load(const Request& request);
  Reply run(const Request& request);
  Reply login(const Request& request);
  Reply objects(const Request& request);
  Reply sign(const Request& request);
  Reply sign_with(ck::Session session, const Request& request);
  ck::Rv open(ck::Slot slot);
  void close();

  std::shared_ptr<Host> host_;
  std::shared_ptr<Module> module_;
  ck::Slot slot_{};
  ck::Session session_{};
  bool opened_{false};
  bool on_anchor_{false};
};

}  // namespace signctl::providers::pkcs11
