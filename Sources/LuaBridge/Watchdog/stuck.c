// The place of a handler that cannot be killed: always its native frames, and its Lua frames if they are at rest. The
// signal may come while the library moves a coroutine's stack, and then the Lua frames cannot be read. They are at rest
// while a function of the bridge, or one that it called outside of the library, runs above the library's frames: such a
// function loops in C. So the native frames are examined from the innermost on, until one belongs to the library or to
// the bridge.
//
// Runs on: the worker's thread, inside of the signal's handler; nothing here allocates or takes a lock.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>
#include <string.h>
#include <ucontext.h>

#include "stuck.h"
#include "Events/events.h"
#include "State/state.h"

Stuck stuck;

// The addresses of a loaded file's code.
typedef struct Code {
    uintptr_t start;
    uintptr_t end;
} Code;

static Code library; // Lua's; empty when it is part of the program
static Code program;

// Notes the code in which an address lies. Called by dl_iterate_phdr, before any handler.
static int find_code(struct dl_phdr_info *file, size_t size, void *found)
{
    (void)size;
    Code *code = found;
    for (int i = 0; i < file->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &file->dlpi_phdr[i];
        uintptr_t start = file->dlpi_addr + segment->p_vaddr;
        bool is_code = segment->p_type == PT_LOAD && (segment->p_flags & PF_X) != 0;
        if (is_code && code->start >= start && code->start < start + segment->p_memsz) {
            *code = (Code){start, start + segment->p_memsz};
            return 1;
        }
    }
    return 0;
}

static bool contains(Code code, const void *address)
{
    return (uintptr_t)address >= code.start && (uintptr_t)address < code.end;
}

void stuck_prepare(void)
{
    program.start = (uintptr_t)(void *)find_code;
    library.start = (uintptr_t)dlsym(RTLD_DEFAULT, "lua_newstate");
    dl_iterate_phdr(find_code, &program);
    dl_iterate_phdr(find_code, &library);
    if (contains(program, (void *)library.start)) {
        library = (Code){0, 0};
    }
    void *frame;
    backtrace(&frame, 1); // loads what it needs, so that the handler allocates nothing
}

// The address at which the signal came; NULL on an unknown kind of machine.
static const void *interrupted_at(const void *context)
{
#if defined(__x86_64__)
    return (const void *)((const ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (const void *)((const ucontext_t *)context)->uc_mcontext.pc;
#else
    (void)context;
    return NULL;
#endif
}

// Whether no function of the library can be changing a stack.
static bool frames_rest(const Bridge *b, const void *interrupted)
{
    if (b->allocating || library.end == 0) {
        return false;
    }
    bool is_below_handler = false;
    for (int i = 0; i < stuck.frame_count; i++) {
        is_below_handler = is_below_handler || stuck.frames[i] == interrupted;
        if (is_below_handler && contains(library, stuck.frames[i])) {
            return false;
        }
        if (is_below_handler && contains(program, stuck.frames[i])) {
            return true;
        }
    }
    return false;
}

void stuck_note(Bridge *b, const void *context)
{
    static const char unknown[] = "not known: Lua's library is at work";
    uint32_t report = atomic_load(&b->stuck_report) * 4;
    uint32_t wanted = report + note_wanted;
    if (!atomic_compare_exchange_strong(&stuck.state, &wanted, report + note_begun)) {
        return;
    }
    stuck.frame_count = backtrace(stuck.frames, stuck_frames);
    if (frames_rest(b, interrupted_at(context))) {
        stuck.lua_count = write_traceback(b->current, 0, stuck.lua, sizeof stuck.lua);
    } else {
        stuck.lua_count = sizeof unknown - 1;
        memcpy(stuck.lua, unknown, sizeof unknown);
    }
    atomic_store(&stuck.state, report + note_done);
}
