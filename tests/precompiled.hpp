// SPDX-License-Identifier: Apache-2.0
// For builds with SIGNCTL_PCH: what nearly every test includes besides cmake/precompiled.hpp.
#pragma once

#include "support/catch.hpp"
