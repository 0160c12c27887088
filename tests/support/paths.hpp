// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>

#include <string>

namespace signctl::test {

/// A folder that goes away with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Whole files, for tests only; throws on failure.
Bytes slurp(const std::string& path);
void spill(const std::string& path, ByteView bytes);

}  // namespace signctl::test
