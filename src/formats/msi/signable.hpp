// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/byte_source.hpp>
#include <signctl/format.hpp>

#include <memory>

namespace signctl::msi {

/// Opens a Windows Installer package, patch or transform.
///
/// @errors as for CompoundFile::open(); `unsupported` for compound files of other programs.
Result<std::unique_ptr<Signable>> open_installer(std::shared_ptr<const ByteSource> source);

}  // namespace signctl::msi
