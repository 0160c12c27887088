// SPDX-License-Identifier: Apache-2.0
#include "plan/other_case.hpp"

#include "core/log.hpp"
#include "core/path.hpp"
#include "core/text.hpp"

#include <cstddef>
#include <system_error>

namespace signctl::plan {

void warn_of_other_case(const std::vector<OtherCase>& files,
                        const std::set<std::filesystem::path>& planned) {
  constexpr std::size_t kMostOfThem = 5;
  std::set<std::string> said;
  std::size_t more = 0;
  for (const OtherCase& file : files) {
    std::error_code failure;
    if (planned.contains(std::filesystem::canonical(to_path(file.path), failure)) ||
        !said.insert(file.path).second) {
      continue;
    }
    if (said.size() > kMostOfThem) {
      ++more;
      continue;
    }
    log_warning(printable(file.path) + " is left out: case counts, and only its letters' case " +
                "keeps it from matching '" + printable(file.pattern) + "'");
  }
  if (more > 0) {
    log_warning(std::to_string(more) + " more files are left out for the case of their letters");
  }
}

}  // namespace signctl::plan
