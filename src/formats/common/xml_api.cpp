// SPDX-License-Identifier: Apache-2.0
#include "formats/common/xml_api.hpp"

#ifdef SIGNCTL_LOAD_XML_LATE
#include <dlfcn.h>
#endif

namespace signctl::xml {

namespace {

#ifdef SIGNCTL_LOAD_XML_LATE

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

Result<XmlApi> load() {
  // Never unloaded: other threads may hold documents.
  void* library = ::dlopen("libxml2.so.2", RTLD_NOW | RTLD_LOCAL);
  XmlApi api;
  if (library == nullptr || !find(library, "xmlReadMemory", api.read_memory) ||
      !find(library, "xmlGetLastError", api.last_error) ||
      !find(library, "xmlResetLastError", api.reset_last_error) ||
      !find(library, "xmlFreeDoc", api.free_doc) ||
      !find(library, "xmlDocGetRootElement", api.root_element) ||
      !find(library, "xmlC14NExecute", api.c14n_execute) ||
      !find(library, "xmlOutputBufferCreateBuffer", api.output_buffer_create) ||
      !find(library, "xmlOutputBufferClose", api.output_buffer_close) ||
      !find(library, "xmlBufferCreate", api.buffer_create) ||
      !find(library, "xmlBufferContent", api.buffer_content) ||
      !find(library, "xmlBufferLength", api.buffer_length) ||
      !find(library, "xmlBufferFree", api.buffer_free) ||
      !find(library, "xmlSaveToBuffer", api.save_to_buffer) ||
      !find(library, "xmlSaveDoc", api.save_doc) ||
      !find(library, "xmlSaveClose", api.save_close) ||
      !find(library, "xmlUnlinkNode", api.unlink_node) ||
      !find(library, "xmlFreeNode", api.free_node) ||
      !find(library, "xmlNewDocNode", api.new_doc_node) || !find(library, "xmlNewNs", api.new_ns) ||
      !find(library, "xmlSetNs", api.set_ns) || !find(library, "xmlAddChild", api.add_child) ||
      !find(library, "xmlSetProp", api.set_prop) ||
      !find(library, "xmlNodeAddContent", api.add_content)) {
    return Error{ErrorKind::unsupported,
                 "the XML library libxml2 is not on this machine",
                 "install it (Debian: libxml2)"};
  }
  return api;
}

#else

Result<XmlApi> load() {
  return XmlApi{::xmlReadMemory,
                ::xmlGetLastError,
                ::xmlResetLastError,
                ::xmlFreeDoc,
                ::xmlDocGetRootElement,
                ::xmlC14NExecute,
                ::xmlOutputBufferCreateBuffer,
                ::xmlOutputBufferClose,
                ::xmlBufferCreate,
                ::xmlBufferContent,
                ::xmlBufferLength,
                ::xmlBufferFree,
                ::xmlSaveToBuffer,
                ::xmlSaveDoc,
                ::xmlSaveClose,
                ::xmlUnlinkNode,
                ::xmlFreeNode,
                ::xmlNewDocNode,
                ::xmlNewNs,
                ::xmlSetNs,
                ::xmlAddChild,
                ::xmlSetProp,
                ::xmlNodeAddContent};
}

#endif

}  // namespace

Result<const XmlApi*> xml_api() {
  static const Result<XmlApi> api = load();
  if (!api) {
    return Error(api.error());
  }
  return &*api;
}

}  // namespace signctl::xml
