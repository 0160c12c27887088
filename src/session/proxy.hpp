// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "session/link.hpp"
#include "session/wire.hpp"

#include <signctl/provider.hpp>
#include <signctl/timestamper.hpp>

#include <functional>
#include <memory>
#include <string>

// The client's side: what a session does, as if it were done here.
namespace signctl::session {

using SessionMaker = std::function<Result<std::unique_ptr<SigningSession>>()>;

/// How to find a session and what to show to it.
struct Address {
  std::string path;     ///< Of the socket.
  std::string version;  ///< Of signctl, on both sides.
  Bytes settings;       ///< As HostOptions::settings.
};

/// Whether a session seems to be there: cheap, and nothing that can be relied on.
[[nodiscard]] bool is_there(const Address& address);

/// A connection on which the session has agreed to work; null when there is no session, or one for
/// something else.
///
/// @errors `output` when something that is not this user's lies in the way.
Result<std::unique_ptr<Link>> say_hello(const Address& address);

/// Asks once.
///
/// @errors what the session answers; `network` when it has gone.
Result<Answer> ask(Link& link, const Question& question);

/// Sessions that sign through the session at `address`, and through `make` when it is not there
/// (any more).
[[nodiscard]] SessionMaker through(Address address, SessionMaker make);

/// The timestamps of the session, and those of `own` when it is not there (any more).
[[nodiscard]] std::unique_ptr<Timestamper> through(Address address,
                                                   std::unique_ptr<Timestamper> own);

}  // namespace signctl::session
