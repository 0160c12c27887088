// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/byte_source.hpp>
#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

// Where an XML document begins to say what it is.
namespace signctl::xml {

/// Whether a file begins like an XML document: `<` behind byte order mark and blanks, in UTF-8 or
/// UTF-16.
[[nodiscard]] bool looks_like_xml(ByteView head);

/// Where the root element begins, behind byte order mark, declaration, comments, processing
/// instructions and blanks (XML 1.0, 2.8); empty when it does not within `text`, or when there is a
/// document type.
[[nodiscard]] std::optional<std::size_t> find_root(std::string_view text);

/// The document from its root element on, as far as it lies in the first 16 MB; empty when
/// find_root() is.
Result<Bytes> read_from_root(const ByteSource& source, ByteView head);

}  // namespace signctl::xml
