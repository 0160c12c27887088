// SPDX-License-Identifier: Apache-2.0
#include "engine/timestamp_trust.hpp"

#include "verify/timestamp_check.hpp"

namespace signctl::engine {

std::function<Result<void>(ByteView token)> timestamp_trust(const Gate& gate, Clock& clock) {
  return [store = gate.store, trust_signer = gate.trust_signer, &clock](
             ByteView token) -> Result<void> {
    const auto objection = verify::object_to_token_chain(token, {store, trust_signer, clock.now()});
    if (!objection) {
      return ok();
    }
    return Error{ErrorKind::timestamp,
                 "the gate would refuse its timestamps: " + objection->id + " (" +
                     objection->subject + "): " + objection->message,
                 "use another server, or trust its root with --trust-cert FILE or gate.trust"};
  };
}

}  // namespace signctl::engine
