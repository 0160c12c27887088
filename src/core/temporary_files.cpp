// SPDX-License-Identifier: Apache-2.0
#include "core/temporary_files.hpp"

#include "core/atomic_file.hpp"

#include <algorithm>
#include <array>
#include <atomic>

namespace signctl {

namespace {

using NativeChar = std::filesystem::path::value_type;

/// A slot goes free -> writing -> listed -> free. Only the thread that took it to `writing` touches
/// the path, and the signal handler reads it only after it has taken the slot from `listed` to
/// `removing`, from where it never comes back: the process is about to end.
enum class SlotState : unsigned char { free, writing, listed, removing };

struct Slot {
  std::atomic<SlotState> state{SlotState::free};
  /// Process id: a forked child inherits the list but owns no file in it.
  std::atomic<unsigned long> owner{};
  std::array<NativeChar, 4096> path{};
};
static_assert(std::atomic<SlotState>::is_always_lock_free);

/// More than --jobs ever asks for. Untouched pages of it cost no memory.
constexpr std::size_t kSlots = 512;

// In static storage without constructors at run time, as a signal handler needs it.
constinit std::array<Slot, kSlots> slots{};

}  // namespace

std::optional<TemporaryFileSlot> enter_temporary_file(const std::filesystem::path& path) noexcept {
  const auto& text = path.native();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    Slot& slot = slots[i];
    SlotState expected = SlotState::free;
    if (text.size() >= slot.path.size()) {
      break;
    }
    if (!slot.state.compare_exchange_strong(expected, SlotState::writing)) {
      continue;
    }
    slot.owner = current_process_id();
    std::copy(text.begin(), text.end(), slot.path.begin());
    slot.path[text.size()] = 0;
    slot.state.store(SlotState::listed);
    return i;
  }
  return std::nullopt;
}

void leave_temporary_file(TemporaryFileSlot slot) noexcept {
  SlotState expected = SlotState::listed;
  slots[slot].state.compare_exchange_strong(expected, SlotState::free);
}

void remove_temporary_files_on_signal() noexcept {
  for (Slot& slot : slots) {
    SlotState expected = SlotState::listed;
    if (slot.state.load() != SlotState::listed || slot.owner != current_process_id()) {
      continue;
    }
    if (slot.state.compare_exchange_strong(expected, SlotState::removing)) {
      remove_path_on_signal(slot.path.data());
    }
  }
}

}  // namespace signctl
