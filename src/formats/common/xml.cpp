// SPDX-License-Identifier: Apache-2.0
#include "formats/common/xml.hpp"

#include "core/text.hpp"
#include "formats/common/xml_api.hpp"
#include "formats/common/xml_limits.hpp"

#include <algorithm>

namespace signctl::xml {

namespace {

std::string text_of(const xmlChar* text) {
  return text == nullptr ? std::string() : std::string(reinterpret_cast<const char*>(text));
}

const xmlChar* xml_text(const std::string& text) {
  return reinterpret_cast<const xmlChar*>(text.c_str());
}

/// Character data of a list of sibling nodes.
std::string joined(const xmlNode* first) {
  std::string text;
  for (const xmlNode* one = first; one != nullptr; one = one->next) {
    if (one->type == XML_TEXT_NODE || one->type == XML_CDATA_SECTION_NODE) {
      text += text_of(one->content);
    }
  }
  return text;
}

std::string last_message(const XmlApi& api) {
  // NOLINTNEXTLINE(misc-const-correctness): its type differs between versions of the library
  const auto* error = api.last_error();
  if (error == nullptr || error->message == nullptr) {
    return "not well-formed";
  }
  std::string message = printable(error->message);
  while (!message.empty() && (message.back() == ' ' || message.back() == '.')) {
    message.pop_back();
  }
  const auto escaped = message.rfind("\\n");
  if (escaped != std::string::npos && escaped + 2 == message.size()) {
    message.resize(escaped);
  }
  return "line " + std::to_string(error->line) + ": " + message;
}

/// What xmlC14NExecute is to leave in.
struct Selection {
  const xmlNode* part;
  const xmlNode* without;
};

int is_selected(void* user, xmlNode* node, xmlNode* parent) {
  const auto& selection = *static_cast<const Selection*>(user);
  // A namespace declaration is not a node of the tree and belongs to its element.
  const xmlNode* at = node->type == XML_NAMESPACE_DECL ? parent : node;
  bool inside = selection.part == nullptr;
  for (; at != nullptr; at = at->parent) {
    if (at == selection.without) {
      return 0;
    }
    inside = inside || at == selection.part;
  }
  return inside ? 1 : 0;
}

}  // namespace

std::string Element::name() const {
  return node_ == nullptr ? std::string() : text_of(node_->name);
}

std::string Element::namespace_uri() const {
  return node_ == nullptr || node_->ns == nullptr ? std::string() : text_of(node_->ns->href);
}

bool Element::is(std::string_view uri, std::string_view name) const {
  return node_ != nullptr && this->name() == name && namespace_uri() == uri;
}

std::vector<Element> Element::children() const {
  std::vector<Element> found;
  for (xmlNode* one = node_ == nullptr ? nullptr : node_->children; one != nullptr;
       one = one->next) {
    if (one->type == XML_ELEMENT_NODE) {
      found.emplace_back(one);
    }
  }
  return found;
}

std::vector<Element> Element::children(std::string_view uri, std::string_view name) const {
  std::vector<Element> found = children();
  found.erase(
      std::remove_if(
          found.begin(), found.end(), [&](const Element& one) { return !one.is(uri, name); }),
      found.end());
  return found;
}

Element Element::only(std::string_view uri, std::string_view name) const {
  const auto found = children(uri, name);
  return found.size() == 1 ? found.front() : Element();
}

std::optional<std::string> Element::attribute(std::string_view name) const {
  for (auto& [known, value] : attributes()) {
    if (known == name) {
      return value;
    }
  }
  return std::nullopt;
}

std::vector<std::pair<std::string, std::string>> Element::attributes() const {
  std::vector<std::pair<std::string, std::string>> found;
  for (const xmlAttr* one = node_ == nullptr ? nullptr : node_->properties; one != nullptr;
       one = one->next) {
    if (one->ns == nullptr) {
      found.emplace_back(text_of(one->name), joined(one->children));
    }
  }
  return found;
}

std::string Element::text() const {
  return node_ == nullptr ? std::string() : joined(node_->children);
}

struct Document::Impl {
  const XmlApi* api{};
  xmlDoc* doc{};

  Impl(const XmlApi* functions, xmlDoc* document) : api(functions), doc(document) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { api->free_doc(doc); }
};

Result<Document> Document::parse(ByteView bytes) {
  SIGNCTL_CHECK(check_raw(bytes), "");
  SIGNCTL_TRY(const XmlApi* api, xml_api(), "");
  api->reset_last_error();
  // Its own limits (10 MB, 256 levels) are lifted, because ours are checked.
  xmlDoc* doc =
      api->read_memory(reinterpret_cast<const char*>(bytes.data()),
                       static_cast<int>(bytes.size()),
                       nullptr,
                       "UTF-8",
                       XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_HUGE);
  if (doc == nullptr) {
    return Error{ErrorKind::input, "the XML document cannot be read: " + last_message(*api)};
  }
  auto impl = std::make_shared<Impl>(api, doc);
  if (doc->intSubset != nullptr || doc->extSubset != nullptr) {
    return Error{ErrorKind::input, "the XML document has a document type declaration"};
  }
  if (api->root_element(doc) == nullptr) {
    return Error{ErrorKind::input, "the XML document has no element"};
  }
  SIGNCTL_CHECK(check_tree(api->root_element(doc)), "");
  return Document(std::move(impl));
}

Element Document::root() const {
  return Element(impl_->api->root_element(impl_->doc));
}

Result<Bytes> Document::canonical(Canonical method, Element part, Element without) const {
  const XmlApi& api = *impl_->api;
  const std::unique_ptr<xmlBuffer, decltype(api.buffer_free)> buffer(api.buffer_create(),
                                                                     api.buffer_free);
  xmlOutputBuffer* output = api.output_buffer_create(buffer.get(), nullptr);
  if (output == nullptr) {
    return Error{ErrorKind::internal, "no memory for the canonical form"};
  }
  Selection selection{part.node(), without.node()};
  const int mode = method == Canonical::exclusive ? XML_C14N_EXCLUSIVE_1_0 : XML_C14N_1_0;
  const int done = api.c14n_execute(impl_->doc, is_selected, &selection, mode, nullptr, 0, output);
  const int closed = api.output_buffer_close(output);
  if (done < 0 || closed < 0) {
    return Error{ErrorKind::input, "the XML document has no canonical form"};
  }
  const xmlChar* content = api.buffer_content(buffer.get());
  return Bytes(content, content + api.buffer_length(buffer.get()));
}

Result<Bytes> Document::serialize() const {
  const XmlApi& api = *impl_->api;
  const std::unique_ptr<xmlBuffer, decltype(api.buffer_free)> buffer(api.buffer_create(),
                                                                     api.buffer_free);
  xmlSaveCtxt* context = api.save_to_buffer(buffer.get(), "UTF-8", 0);
  if (context == nullptr || api.save_doc(context, impl_->doc) < 0 || api.save_close(context) < 0) {
    return Error{ErrorKind::internal, "the XML document cannot be written"};
  }
  const xmlChar* content = api.buffer_content(buffer.get());
  return Bytes(content, content + api.buffer_length(buffer.get()));
}

Result<void> Document::set_attribute(Element element,
                                     const std::string& name,
                                     const std::string& value) {
  if (element.empty() ||
      impl_->api->set_prop(element.node(), xml_text(name), xml_text(value)) == nullptr) {
    return Error{ErrorKind::internal, "the attribute " + name + " cannot be set"};
  }
  return ok();
}

Result<Element> Document::append(Element parent, const std::string& uri, const std::string& name) {
  const XmlApi& api = *impl_->api;
  xmlNode* node = api.new_doc_node(impl_->doc, nullptr, xml_text(name), nullptr);
  if (node == nullptr || parent.empty()) {
    return Error{ErrorKind::internal, "the element " + name + " cannot be made"};
  }
  api.set_ns(node, api.new_ns(node, xml_text(uri), nullptr));
  if (api.add_child(parent.node(), node) == nullptr) {
    api.free_node(node);
    return Error{ErrorKind::internal, "the element " + name + " cannot be added"};
  }
  return Element(node);
}

void Document::add_text(Element element, const std::string& text) {
  impl_->api->add_content(element.node(), xml_text(text));
}

Result<void> Document::remove(Element element) {
  if (element.empty()) {
    return Error{ErrorKind::internal, "there is no element to remove"};
  }
  impl_->api->unlink_node(element.node());
  impl_->api->free_node(element.node());
  return ok();
}

}  // namespace signctl::xml
