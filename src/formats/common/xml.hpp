// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signctl/bytes.hpp>
#include <signctl/result.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// libxml2's own name.
struct _xmlNode;  // NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)

/// Reading, small edits and canonicalization of XML documents, on libxml2. Only UTF-8, no DTD, no
/// entities besides the predefined ones, nothing fetched, at most 16 MB and 256 levels.
namespace signctl::xml {

/// The largest document that is read.
inline constexpr std::size_t kMaxBytes = std::size_t{16} << 20U;

/// Canonical XML, always without comments.
enum class Canonical {
  inclusive,  ///< http://www.w3.org/TR/2001/REC-xml-c14n-20010315
  exclusive,  ///< http://www.w3.org/2001/10/xml-exc-c14n#
};

/// An element of a Document, which must outlive it. An empty one answers with nothing.
class Element {
 public:
  Element() = default;
  explicit Element(_xmlNode* node) : node_(node) {}

  [[nodiscard]] bool empty() const { return node_ == nullptr; }
  [[nodiscard]] std::string name() const;           ///< Local name.
  [[nodiscard]] std::string namespace_uri() const;  ///< Empty if in none.
  [[nodiscard]] bool is(std::string_view uri, std::string_view name) const;
  /// Child elements in order.
  [[nodiscard]] std::vector<Element> children() const;
  /// Those with this name.
  [[nodiscard]] std::vector<Element> children(std::string_view uri, std::string_view name) const;
  /// The only child with this name; empty when there is none or several.
  [[nodiscard]] Element only(std::string_view uri, std::string_view name) const;
  /// The attribute of no namespace.
  [[nodiscard]] std::optional<std::string> attribute(std::string_view name) const;
  /// All attributes of no namespace, in document order.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> attributes() const;
  /// Text directly inside.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] _xmlNode* node() const { return node_; }

 private:
  _xmlNode* node_{nullptr};
};

/// A parsed document.
class Document {
 public:
  /// @errors `input` for what is not well-formed, too large or has a DTD; `unsupported` for another
  ///         encoding than UTF-8.
  static Result<Document> parse(ByteView bytes);

  [[nodiscard]] Element root() const;

  /// Canonical form of the document, or of `part` alone if given, without `without` if given.
  Result<Bytes> canonical(Canonical method, Element part = {}, Element without = {}) const;

  /// The document as UTF-8 with an XML declaration.
  Result<Bytes> serialize() const;

  /// Sets an attribute of no namespace.
  Result<void> set_attribute(Element element, const std::string& name, const std::string& value);
  /// Adds an element in the namespace `uri`, declared as default on it, behind the other children.
  Result<Element> append(Element parent, const std::string& uri, const std::string& name);
  /// Adds text behind what is in the element.
  void add_text(Element element, const std::string& text);
  /// Takes an element out. It and everything in it must not be used any more.
  Result<void> remove(Element element);

 private:
  struct Impl;
  explicit Document(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<Impl> impl_;
};

/// `text` with the five special characters as entities, for content and double-quoted attributes,
/// in the way of Canonical XML 1.0, 2.3 for attributes.
[[nodiscard]] std::string escape_attribute(std::string_view text);
/// The same for text.
[[nodiscard]] std::string escape_text(std::string_view text);

}  // namespace signctl::xml
