// SPDX-License-Identifier: Apache-2.0
// The one way to <windows.h>: without what it would otherwise drag in, and without its macros min
// and max.
#pragma once

#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>
