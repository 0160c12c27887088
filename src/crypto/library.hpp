// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <thread>

namespace signctl::crypto {

/// Starts OpenSSL before its first use, without reading openssl.cnf: that file has no say in how
/// releases are signed, and reading it costs start-up time. Cheap to call again; thread-safe.
void start_library();

/// Does on a thread of its own what OpenSSL does at the first hash and the first random number, so
/// that a command can read its files meanwhile. Purely a matter of time.
class LibraryStart {
 public:
  LibraryStart();
  LibraryStart(const LibraryStart&) = delete;
  LibraryStart& operator=(const LibraryStart&) = delete;
  ~LibraryStart();

 private:
  std::thread thread_;
};

}  // namespace signctl::crypto
