// SPDX-License-Identifier: Apache-2.0
#include "engine/timestamp_trust.hpp"

#include "verify/timestamp_check.hpp"

#include <algorithm>

namespace signctl::engine {

std::function<Result<void>(ByteView token)> timestamp_trust(const Gate& gate, Clock& clock) {
  return [store = gate.store,
          trust_signer = gate.trust_signer,
          strict = gate.rules.profile == Profile::strict,
          &clock](ByteView token) -> Result<void> {
    const auto all = verify::objections_to_token(token, {store, trust_signer, clock.now()});
    const auto objection = std::find_if(all.begin(), all.end(), [strict](const Finding& one) {
      return strict || !verify::is_tolerable(one);
    });
    if (objection == all.end()) {
      return ok();
    }
    return Error{ErrorKind::timestamp,
                 "the gate would refuse its timestamps: " + objection->id + " (" +
                     objection->subject + "): " + objection->message,
                 "use another server, or trust its root with --trust-cert FILE or gate.trust"};
  };
}

}  // namespace signctl::engine
