// SPDX-License-Identifier: Apache-2.0
#pragma once

// Catch2 v2 as packaged by Debian 12, or v3.
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif
