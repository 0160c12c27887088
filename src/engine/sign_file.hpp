// SPDX-License-Identifier: Apache-2.0
#pragma once

// The engine's verbs are part of the library's public face.
#include <signctl/engine.hpp>
