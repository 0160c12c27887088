// SPDX-License-Identifier: Apache-2.0
#include "engine/build_signature.hpp"
#include "engine/opened_file.hpp"
#include "engine/shelf.hpp"

namespace signctl::engine {

Result<Paid> paid_before(const FileTask& task, const Stages& stages) {
  // Only then is it worth hashing the file.
  if (stages.shelf == nullptr || !stages.shelf->owes()) {
    return Paid::nothing;
  }
  SIGNCTL_TRY(OpenedFile opened, open_file(task.input), "");
  // Of signatures that say when they are made no two are alike.
  if (opened.signable->scheme() != nullptr || names_signatory(*opened.signable)) {
    return Paid::nothing;
  }
  SIGNCTL_TRY(const Placement placement, place(*opened.signable, task.options.if_signed), "");
  SIGNCTL_TRY(const auto prepared, prepare(*opened.signable, task.options, placement), "");
  return stages.shelf->paid(prepared.content.alg, prepared.to_be_signed, stages.is_ours);
}

}  // namespace signctl::engine
