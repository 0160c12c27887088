// SPDX-License-Identifier: Apache-2.0
#include "cli/binary_output.hpp"

#include "cli/platform.hpp"
#include "core/atomic_file.hpp"
#include "core/text.hpp"

namespace signctl::cli {

Result<void> write_bytes(Context& context, const std::string& path, ByteView bytes) {
  if (!path.empty()) {
    return write_file(path, bytes, Existing::replace);
  }
  if (is_terminal(Stream::output)) {
    return Error{
        ErrorKind::usage, "raw bytes are not for a terminal", "write them to a file with -o FILE"};
  }
  set_binary_output();
  context.write(as_text(bytes));
  return ok();
}

}  // namespace signctl::cli
