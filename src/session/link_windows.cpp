// SPDX-License-Identifier: Apache-2.0
#include "session/link.hpp"

#include <process.h>

namespace signctl::session {

namespace {

Error not_here() {
  return {ErrorKind::unsupported,
          "signing sessions are not available on Windows yet",
          "give all files to one signctl sign: it logs in once for all of them"};
}

}  // namespace

std::string session_folder(const std::optional<std::string>&, const std::optional<std::string>&) {
  return {};
}

Result<void> make_session_folder(const std::string&) {
  return not_here();
}

Result<std::unique_ptr<Listener>> listen(const std::string&) {
  return not_here();
}

Result<std::unique_ptr<Link>> connect(const std::string&) {
  return std::unique_ptr<Link>();
}

Result<std::pair<Side, std::unique_ptr<Beginning>>> start_in_background() {
  return not_here();
}

std::int64_t process_number() {
  return ::_getpid();
}

}  // namespace signctl::session
