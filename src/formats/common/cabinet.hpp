// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/common/cabinet_files.hpp"
#include "formats/common/cabinet_unpack.hpp"

#include <signctl/byte_source.hpp>
#include <signctl/format.hpp>
#include <signctl/result.hpp>

#include <cstddef>
#include <memory>
#include <vector>

namespace signctl::formats {

/// The files in a cabinet, wherever that lies: on its own, or in a stream of an installer. What
/// follows the cabinet in the source, such as its signature, is left alone.
///
/// Not safe to share between threads.
class Cabinet {
 public:
  /// Reads the headers and the list of files.
  ///
  /// @errors `input` when they are malformed, folders overlap, or the files claim more than the
  ///         folders can hold; `unsupported` for a part of a set and for unknown compressions.
  static Result<std::unique_ptr<Cabinet>> open(std::shared_ptr<const ByteSource> source);

  /// In stored order. A path is as stored but for backslashes, which become `/`: it may be
  /// absolute or lead upwards, so it is for showing and comparing, never for writing to.
  [[nodiscard]] const std::vector<Member>& members() const { return members_; }

  /// Unpacks one file, cheapest in stored order: what lies before it in its folder is unpacked
  /// too. The result outlives this object.
  ///
  /// @param index  Position in members().
  /// @errors `input` when the data are damaged; `output` when there is no room to unpack it;
  ///         `unsupported` when the library that unpacks is not on this machine.
  Result<std::shared_ptr<const ByteSource>> open_member(std::size_t index);

 private:
  Cabinet(std::shared_ptr<const ByteSource> source, std::vector<CabinetFile> files);

  std::shared_ptr<const ByteSource> source_;
  std::vector<CabinetFile> files_;
  std::vector<Member> members_;
  std::unique_ptr<CabinetUnpacker> unpacker_;  ///< Made for the first member.
};

}  // namespace signctl::formats
