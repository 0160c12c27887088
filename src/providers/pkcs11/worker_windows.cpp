// SPDX-License-Identifier: Apache-2.0
// There is no worker process on Windows: the driver is loaded into this program, and the deadline
// of setting `timeout` does not apply. docs/providers/pkcs11.md says so.

#include "providers/pkcs11/driver.hpp"

#include <signctl/worker.hpp>

namespace signctl {

std::optional<int> run_worker(std::span<const std::string> /*arguments*/) {
  return std::nullopt;
}

void set_worker_program(std::string /*path_utf8*/) {}

}  // namespace signctl

namespace signctl::providers::pkcs11 {

Result<std::shared_ptr<Driver>> start_driver() {
  return local_driver();
}

}  // namespace signctl::providers::pkcs11
