// SPDX-License-Identifier: Apache-2.0
#include "providers/pkcs11/driver.hpp"
#include "providers/pkcs11/module.hpp"

namespace signctl::providers::pkcs11 {
namespace {

class LocalLink final : public Link {
 public:
  explicit LocalLink(std::shared_ptr<Host> host) : connection_(std::move(host)) {}

  Result<Reply> call(const Request& request, std::chrono::milliseconds /*limit*/) override {
    return connection_.execute(request);
  }

 private:
  Connection connection_;
};

class LocalDriver final : public Driver {
 public:
  Result<std::unique_ptr<Link>> connect(std::chrono::milliseconds /*limit*/) override {
    std::unique_ptr<Link> link = std::make_unique<LocalLink>(host_);
    return link;
  }
  [[nodiscard]] bool isolated() const override { return false; }
  [[nodiscard]] bool hung() const override { return false; }
  void stop() override {}

 private:
  std::shared_ptr<Host> host_ = std::make_shared<Host>();
};

}  // namespace

std::shared_ptr<Driver> local_driver() {
  return std::make_shared<LocalDriver>();
}

}  // namespace signctl::providers::pkcs11
