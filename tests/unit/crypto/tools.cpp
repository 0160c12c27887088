// SPDX-License-Identifier: Apache-2.0
#include "tools.hpp"

#include <array>
#include <cstdio>
#include <stdexcept>

namespace signctl::test {

ShellResult shell(const std::string& command) {
  ShellResult result;
  FILE* pipe = popen(("( " + command + " ) 2>&1 </dev/null").c_str(), "r");
  if (pipe == nullptr) {
    throw std::runtime_error("cannot run " + command);
  }
  std::array<char, 4096> buffer{};
  std::size_t count = 0;
  while ((count = fread(buffer.data(), 1, buffer.size(), pipe)) > 0) {
    result.output.append(buffer.data(), count);
  }
  result.status = pclose(pipe);
  return result;
}

bool has_openssl(const std::string& what) {
  if (shell("openssl version").status == 0) {
    return true;
  }
  std::cerr << "SKIPPED: " << what << " (no openssl command)\n";
  return false;
}

}  // namespace signctl::test
