// SPDX-License-Identifier: Apache-2.0
// Catch2 v2 (Debian 12) wants a main here; v3 (vcpkg) brings the macro under another header.
#define CATCH_CONFIG_MAIN
#include "support/catch.hpp"
