// SPDX-License-Identifier: Apache-2.0
#include "formats/common/cabinet_unpack.hpp"

#include "formats/common/mspack_api.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

namespace signctl::formats {
namespace {

/// What the library sees as its system: the cabinet as only file to read, one place to write to.
/// Its callbacks report failure without a reason, so that is kept here.
struct System : mspack_system {
  std::shared_ptr<const ByteSource> source;
  SpooledBytes* out{};
  std::optional<Error> failure;
};

/// One opening of either.
struct Stream : mspack_file {
  System* system{};
  std::uint64_t position{};
};

Stream& stream_of(mspack_file* file) {
  return static_cast<Stream&>(*file);
}

mspack_file* open_stream(mspack_system* self, const char* /*name*/, int /*mode*/) noexcept {
  // The library hands it to close_stream().
  auto stream = std::make_unique<Stream>();
  stream->system = static_cast<System*>(self);
  return stream.release();
}

void close_stream(mspack_file* file) noexcept {
  const std::unique_ptr<Stream> closed(&stream_of(file));
}

int read_stream(mspack_file* file, void* buffer, int bytes) noexcept {
  Stream& stream = stream_of(file);
  const ByteSource& source = *stream.system->source;
  const std::uint64_t rest = source.size() - std::min(stream.position, source.size());
  const auto count =
      static_cast<std::size_t>(std::min<std::uint64_t>(rest, bytes > 0 ? unsigned(bytes) : 0U));
  auto result = source.read_at(stream.position, {static_cast<std::uint8_t*>(buffer), count});
  if (!result) {
    stream.system->failure = std::move(result).error();
    return -1;
  }
  stream.position += count;
  return static_cast<int>(count);
}

int write_stream(mspack_file* file, void* buffer, int bytes) noexcept {
  System& system = *stream_of(file).system;
  if (system.out == nullptr || bytes < 0) {
    return -1;
  }
  auto result = system.out->append(
      {static_cast<const std::uint8_t*>(buffer), static_cast<std::size_t>(bytes)});
  if (!result) {
    system.failure = std::move(result).error();
    return -1;
  }
  return bytes;
}

int seek_stream(mspack_file* file, off_t offset, int mode) noexcept {
  Stream& stream = stream_of(file);
  const std::uint64_t size = stream.system->source->size();
  std::uint64_t base = 0;
  if (mode == MSPACK_SYS_SEEK_CUR) {
    base = stream.position;
  } else if (mode == MSPACK_SYS_SEEK_END) {
    base = size;
  }
  // Wraps around for a seek to before the start, which is then past the end.
  const std::uint64_t target = base + static_cast<std::uint64_t>(offset);
  if (target > size) {
    return -1;
  }
  stream.position = target;
  return 0;
}

off_t tell_stream(mspack_file* file) noexcept {
  return static_cast<off_t>(stream_of(file).position);
}

// NOLINTNEXTLINE(cert-dcl50-cpp): the library's own signature.
void ignore_message(mspack_file* /*file*/, const char* /*format*/, ...) noexcept {}

// NOLINTBEGIN(cppcoreguidelines-owning-memory): memory of the library's, handed through.
void* allocate(mspack_system* /*self*/, std::size_t bytes) noexcept {
  return std::malloc(bytes);
}

void release(void* memory) noexcept {
  std::free(memory);
}
// NOLINTEND(cppcoreguidelines-owning-memory)

void copy(void* from, void* to, std::size_t bytes) noexcept {
  std::memcpy(to, from, bytes);
}

void set_callbacks(mspack_system& system) {
  system.open = open_stream;
  system.close = close_stream;
  system.read = read_stream;
  system.write = write_stream;
  system.seek = seek_stream;
  system.tell = tell_stream;
  system.message = ignore_message;
  system.alloc = allocate;
  system.free = release;
  system.copy = copy;
  system.null_ptr = nullptr;
}

/// The reason behind one of the library's error codes.
Error error_of(int code, System& system) {
  if (system.failure) {
    Error failure = std::move(*system.failure);
    system.failure.reset();
    return failure;
  }
  switch (code) {
    case MSPACK_ERR_CHECKSUM:
      return {ErrorKind::input, "the cabinet is damaged: the checksum of a block is wrong"};
    case MSPACK_ERR_READ:
    case MSPACK_ERR_SEEK:
      return {ErrorKind::input, "the cabinet is malformed: its data reach past its end"};
    case MSPACK_ERR_SIGNATURE:
    case MSPACK_ERR_DATAFORMAT:
      return {ErrorKind::input, "the cabinet is malformed: libmspack does not accept its headers"};
    case MSPACK_ERR_DECRUNCH:
      return {ErrorKind::input, "the cabinet is damaged: its compressed data make no sense"};
    case MSPACK_ERR_NOMEMORY:
      return {ErrorKind::output, "there is not enough memory to unpack the cabinet"};
    default:
      return {ErrorKind::internal, "libmspack failed with code " + std::to_string(code)};
  }
}

}  // namespace

struct CabinetUnpacker::Impl {
  const MspackApi* api{};
  System system{};
  mscab_decompressor* decompressor{};
  mscabd_cabinet* cabinet{};
  std::vector<mscabd_file*> files;  ///< In stored order; owned by `cabinet`.

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (cabinet != nullptr) {
      decompressor->close(decompressor, cabinet);
    }
    if (decompressor != nullptr) {
      api->destroy_cab_decompressor(decompressor);
    }
  }
};

CabinetUnpacker::CabinetUnpacker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
CabinetUnpacker::~CabinetUnpacker() = default;

Result<std::unique_ptr<CabinetUnpacker>> CabinetUnpacker::open(
    std::shared_ptr<const ByteSource> source) {
  auto impl = std::make_unique<Impl>();
  SIGNCTL_TRY(impl->api, mspack_api(), "");
  set_callbacks(impl->system);
  impl->system.source = std::move(source);
  impl->decompressor = impl->api->create_cab_decompressor(&impl->system);
  if (impl->decompressor == nullptr) {
    return error_of(MSPACK_ERR_NOMEMORY, impl->system);
  }
  impl->cabinet = impl->decompressor->open(impl->decompressor, "cabinet");
  if (impl->cabinet == nullptr) {
    return error_of(impl->decompressor->last_error(impl->decompressor), impl->system);
  }
  for (mscabd_file* file = impl->cabinet->files; file != nullptr; file = file->next) {
    impl->files.push_back(file);
  }
  return std::unique_ptr<CabinetUnpacker>(new CabinetUnpacker(std::move(impl)));
}

Result<void> CabinetUnpacker::unpack(std::size_t index,
                                     const CabinetFile& file,
                                     SpooledBytes& out) {
  if (index >= impl_->files.size() || impl_->files[index]->length != file.size ||
      impl_->files[index]->offset != file.offset) {
    return Error{ErrorKind::input,
                 "the cabinet is malformed: two readers understand it differently"};
  }
  impl_->system.out = &out;
  const int code = impl_->decompressor->extract(impl_->decompressor, impl_->files[index], "member");
  impl_->system.out = nullptr;
  if (code != MSPACK_ERR_OK) {
    return error_of(code, impl_->system);
  }
  if (out.size() != file.size) {
    return Error{ErrorKind::input,
                 "the cabinet is damaged: " + std::to_string(out.size()) + " of " +
                     std::to_string(file.size) + " bytes could be unpacked"};
  }
  return ok();
}

}  // namespace signctl::formats
