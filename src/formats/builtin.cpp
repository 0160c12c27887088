// SPDX-License-Identifier: Apache-2.0
#include <signctl/format.hpp>

#include <array>

// The one list of file types. A row is the name of a folder here, which defines format() in the
// namespace of that name; the order is the order of detection.
#define SIGNCTL_FORMATS(FORMAT) \
  FORMAT(pe)                    \
  FORMAT(msi)                   \
  FORMAT(cab)                   \
  FORMAT(cat) FORMAT(script) FORMAT(clickonce) FORMAT(msix) FORMAT(nuget) FORMAT(vsix) FORMAT(zip)

#define SIGNCTL_FORMAT_DECLARE(name) \
  namespace signctl::name {          \
  const Format& format();            \
  }
SIGNCTL_FORMATS(SIGNCTL_FORMAT_DECLARE)
#undef SIGNCTL_FORMAT_DECLARE

namespace signctl {

std::span<const Format* const> builtin_formats() {
#define SIGNCTL_FORMAT_ENTRY(name) &name::format(),
  static const std::array formats{SIGNCTL_FORMATS(SIGNCTL_FORMAT_ENTRY)};
#undef SIGNCTL_FORMAT_ENTRY
  return formats;
}

}  // namespace signctl
